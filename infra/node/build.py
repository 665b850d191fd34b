"""Joins the parts of the collector into the one document that Systems Manager may send: infra/node.yaml.

`python infra/node/build.py` writes it; with --check it says whether it is as the parts are.
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
TEMPLATE = HERE.parent / "node.yaml"
MARK = "# --- the collector ---"
HERE_DOCUMENT = re.compile(r"<<-?\s*['\"]?([A-Z]+)['\"]?$")


def script() -> str:
    """The whole collector as one script of POSIX sh."""
    parts = sorted((HERE / "collector").glob("*.sh"))
    return "".join(part.read_text(encoding="utf-8") for part in parts)


def as_sent(text: str) -> str:
    """Without remarks and indentation, since a document may hold 64 KiB. Here-documents stay."""
    kept, end = [], None
    for line in text.splitlines(keepends=True):
        word = line.strip()
        if end is None and (word.startswith("#") or not word):
            continue
        kept.append(line.lstrip(" ") if end is None else line)
        if end is None and (opened := HERE_DOCUMENT.search(line)):
            end = opened[1]
        elif word == end:
            end = None
    return "".join(kept)


def joined() -> str:
    """The template with the collector in it."""
    head, mark, _ = TEMPLATE.read_text(encoding="utf-8").partition(MARK)
    indent = " " * (len(head) - head.rfind("\n") - 1)
    body = "".join(f"{indent}{line}" if line.strip() else line for line in as_sent(script()).splitlines(keepends=True))
    return f"{head}{mark}\n{body}"


def main() -> int:
    if "--script" in sys.argv:
        sys.stdout.write(script())
        return 0
    if "--check" not in sys.argv:
        TEMPLATE.write_text(joined(), encoding="utf-8")
        return 0
    same = TEMPLATE.read_text(encoding="utf-8") == joined()
    return 0 if same else "infra/node.yaml is not as infra/node/collector is: run python infra/node/build.py" and 1


if __name__ == "__main__":
    sys.exit(main())
