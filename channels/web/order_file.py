"""Reading an uploaded list of orders into cells of text: CSV in UTF-8 or GB 18030, and Excel. The only importer of openpyxl.

Only values are read, never formulas or macros, and no more than the limits say; a file is data from a stranger.
"""

import csv
import io
import zipfile
from datetime import date, datetime

from intake.errors import BadInput

MAX_BYTES = 5 * 1024 * 1024
MAX_UNPACKED = 100 * 1024 * 1024
MAX_LINES, MAX_COLUMNS, MAX_CELL = 600, 60, 5000


def read_file(name: str, body: bytes) -> list[list[str]]:
    """The first sheet as lines of cells; raises BadInput for `file` in the uploader's words."""
    if not body:
        raise BadInput("file", "请选择要导入的文件。")
    if len(body) > MAX_BYTES:
        raise BadInput("file", f"文件超过 {MAX_BYTES // 1024 // 1024} MB，请分开导入。")
    if body[:4] == b"PK\x03\x04":
        return _excel(body)
    if body[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise BadInput("file", "这是旧式 Excel 文件（.xls），请另存为 .xlsx 或 CSV 再导入。")
    if name.lower().endswith((".xlsx", ".xls")):
        raise BadInput("file", "这个 Excel 文件已损坏或加了密，请重新导出。")
    return _csv(body)


def _csv(body: bytes) -> list[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        try:
            lines = list(csv.reader(io.StringIO(text), delimiter="\t" if "\t" in text[:2000] and "," not in text[:2000] else ","))
        except csv.Error:
            break
        return [_bounded(line) for line in lines[:MAX_LINES]]
    raise BadInput("file", "文件无法读取，请用 CSV（UTF-8 或 GBK）或 Excel（.xlsx）。")


def _excel(body: bytes) -> list[list[str]]:
    from openpyxl import load_workbook  # a tenth of a second of the start, for what is rarely uploaded

    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            if sum(one.file_size for one in packed.infolist()) > MAX_UNPACKED:
                raise BadInput("file", "文件展开后过大，请分开导入。")
        book = load_workbook(io.BytesIO(body), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        lines = sheet.iter_rows(max_row=MAX_LINES, max_col=MAX_COLUMNS, values_only=True)
        return [_bounded([_words(cell) for cell in line]) for line in lines]
    except BadInput:
        raise
    except Exception:
        # What a broken workbook raises inside the reader has no common class.
        raise BadInput("file", "这个 Excel 文件已损坏或加了密，请重新导出。") from None


def _words(cell: object) -> str:
    """A cell as text; numbers without the .0 that Excel makes of them, moments as they are read again."""
    match cell:
        case None:
            return ""
        case datetime():
            return f"{cell:%Y-%m-%d %H:%M:%S}"
        case date():
            return f"{cell:%Y-%m-%d}"
        case float() if cell.is_integer():
            return str(int(cell))
    return str(cell)


def _bounded(line: list[str]) -> list[str]:
    return [cell[:MAX_CELL] for cell in line[:MAX_COLUMNS]]
