"""How fast is a report taken in: classified, located, journalled, durable, answered? At 1, 16 and 64 clients.

`python -m bench.create [postgresql://…]`. Ratios to CAL and FSYNC taken in the same run.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.unit import fsync_s
from tests.servers import free_port

ROOT = Path(__file__).resolve().parent.parent
CLIENTS = (1, 16, 64)
SECONDS = 5.0
PARTS = (
    ("人民广场", "中山路口", "鼓楼南门", "幸福小区3栋旁", "一中门口"),
    ("有一堆生活垃圾没人清理", "井盖松动车过就响", "烧烤摊油烟很大", "路灯已经不亮三天", "电动车乱停挡住盲道"),
    ("请尽快处理", "影响出行", "味道很大", "晚上看不见很危险", "反映多次没人管"),
)


def bodies(count: int) -> str:
    """Texts joined from parts: their shape matters here, not their meaning."""
    dice = random.Random(12319)
    texts = ("，".join(dice.choice(part) for part in PARTS) + str(number) for number in range(count))
    return "\n".join(json.dumps({"text": text, "place": text[:6]}, ensure_ascii=False) for text in texts)


def load(port: int, path: str, clients: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.load", str(port), path, str(clients), str(SECONDS)]
    done = subprocess.run(command, cwd=ROOT, input=bodies(2000), capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    import urllib.request

    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=1)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            if server.poll() is not None:
                raise SystemExit("the server did not start") from None
            time.sleep(0.1)


def cpu_s(pid: int) -> float:
    """User and system seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(command: list[str], path: str, port: int, environment: dict[str, str]) -> list[dict[str, float]]:
    server = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, server)
        load(port, path, 4)
        rows = []
        for clients in CLIENTS:
            before = cpu_s(server.pid)
            row = load(port, path, clients)
            rows.append(row | {"clients": clients, "cpu_ms": (cpu_s(server.pid) - before) / row["answers"] * 1e3})
        return rows
    finally:
        server.terminate()
        server.wait(10)


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="bench-"))
    model = ROOT / "var" / "models"
    if model.exists():
        (home / "models").symlink_to(model)
    port, database = free_port(), sys.argv[1] if len(sys.argv) > 1 else ""
    cal = measure([sys.executable, "-m", "bench.unit", str(port)], "/", port, {})
    fsync = fsync_s(home)
    environment = {"INTAKE_HOME": str(home), "INTAKE_PORT": str(port), "INTAKE_DATABASE_URL": database,
                   "INTAKE_REPORT_LIMIT": "100000000/minute", "INTAKE_API_LIMIT": "100000000/minute",
                   "INTAKE_LOG_LEVEL": "WARNING"}  # fmt: skip
    rows = measure([sys.executable, "-m", "intake", "serve", "--no-train"], "/api/v1/reports", port, environment)
    unit = next(row["per_s"] for row in cal if row["clients"] == 16)
    print(f"CAL {unit:.0f}/s ({next(r['cpu_ms'] for r in cal if r['clients'] == 16):.3f} ms CPU)  FSYNC {fsync * 1e3:.2f} ms")
    for row in rows:
        print(f"{row['clients']:3.0f} clients: {row['per_s']:7.0f}/s = {row['per_s'] / unit:.3f} CAL, p50 {row['p50_ms']:.2f} ms, "
              f"p99 {row['p99_ms']:.2f} ms, CPU {row['cpu_ms']:.3f} ms, faults {row['faults']}")  # fmt: skip


if __name__ == "__main__":
    main()
