"""The house plan (docs/house.md) as far as a test can hold it: arrows, one importer a library, sizes, documented things."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from intake.__main__ import COMMANDS
from intake.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
OURS = ("intake", "channels", "classifier", "ivr")
MODULES = sorted(path for folder in OURS for path in (ROOT / folder).rglob("*.py"))
MIGRATIONS = ROOT / "intake" / "store" / "migrations"
WIRING = ("intake/__main__.py", "intake/wiring.py", "intake/commands/")
MAX_MODULE, MAX_FUNCTION, MAX_LINE = 300, 40, 130

IMPORTERS = {
    "sqlalchemy": "intake/store/", "alembic": "intake/store/", "asyncpg": "intake/store/",
    "pydantic_settings": "intake/settings.py", "argon2": "intake/password.py", "cryptography": ("intake/vault.py", "channels/chat_wechat_crypto.py"),
    "phonenumbers": "intake/phone.py", "shapely": "intake/places.py", "jieba": "classifier/tokens.py",
    "sklearn": "classifier/", "joblib": "classifier/", "numpy": ("classifier/", "channels/phone/speech_pack/"), "limits": "channels/web/rate.py",
    "jinja2": "channels/web/", "aiohttp": "channels/", "PIL": ("channels/web/photo", "classifier/report_diagram.py"), "pillow_heif": "channels/web/photo",
    "telegram": "channels/chat_telegram_bot.py", "defusedxml": "channels/chat_wechat_message.py",
    "openpyxl": "channels/web/order_file.py", "segno": "channels/web/", "prometheus_client": "channels/web/metrics.py", "orjson": "channels/web/",
    "onnxruntime": "channels/phone/speech_pack/network.py", "misaki": "channels/phone/speech_pack/synthesis.py",
    "tokenizers": "channels/phone/speech_pack/recognition.py", "opencc": "channels/phone/speech_pack/recognition.py",
    "pypinyin": "intake/pinyin.py", "panoramisk": "channels/phone/link.py",
    "reportlab": "channels/web/paper_pdf.py", "docx": "channels/web/paper_word.py",
}  # fmt: skip
"""Outside library to the one module (or, with a slash, folder) that may import it. Wiring may import everything."""


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def may_import(importer: str, imported: str) -> bool:
    """The arrows of docs/house.md, A1."""
    if importer.startswith(WIRING):
        return True
    folder, target = importer.split("/")[0], imported.split(".")[0]
    inner = imported.startswith(("intake.commands", "intake.wiring", "intake.__main__"))
    if target not in OURS or (folder == target and not inner):
        return not inner and not (importer.count("/") == 1 and folder == "intake" and imported.startswith("intake.store"))
    allowed = {"classifier": {"intake"}, "channels": {"intake", "ivr"}, "intake": set(), "ivr": set()}[folder]
    return target in allowed and not inner and not imported.startswith("intake.store")


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_imports_follow_the_arrows(path: Path) -> None:
    wrong = [name for name in imports_of(path) if not may_import(relative(path), name)]
    assert wrong == []


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_each_outside_library_has_its_importer(path: Path) -> None:
    here = relative(path)
    if here.startswith(WIRING):
        return
    libraries = {name.split(".")[0] for name in imports_of(path)} & IMPORTERS.keys()
    assert [library for library in libraries if not here.startswith(IMPORTERS[library])] == []


@pytest.mark.parametrize("path", [p for p in MODULES if MIGRATIONS not in p.parents], ids=relative)
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_MODULE
    functions = (n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert {name: length for name, length in lengths.items() if length > MAX_FUNCTION} == {}
    assert [number for number, line in enumerate(text.splitlines(), 1) if len(line) > MAX_LINE] == []


@pytest.mark.parametrize("path", [p for p in MODULES if p.stat().st_size and MIGRATIONS not in p.parents], ids=relative)
def test_every_module_says_what_lives_there(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    names = {path.stem for path in MODULES}
    assert not names & {"utils", "util", "common", "misc", "base", "constants", "helpers"}


def test_no_class_is_called_manager_processor_or_handler() -> None:
    classes = [
        node.name for path in MODULES for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    ]  # fmt: skip
    assert [name for name in classes if re.search("Manager|Processor|Handler", name)] == []


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [name for name in Settings.model_fields if f"INTAKE_{name.upper()}" not in page] == []


def test_every_command_is_documented() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"intake {name}" not in page] == []


def test_tests_have_no_packages_that_could_shadow_ours() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_lock_files_carry_no_addresses() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        assert text.count("--hash=sha256:") > 50
