"""The runnable examples of a Markdown document.

A ```sh or ```python block is an example. The ```json or ```text block after it is what it prints; in between, a line
like "Answer `201`:" gives the HTTP status of its last curl. In an expectation `…` stands for anything: as a JSON
string for any value, in text for any run of characters. A comment `<!-- server: KEY=value -->` says that the examples
after it need a server with that setting.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

ANYTHING = "…"
EXAMPLE_LANGUAGES = {"sh", "python"}
EXPECTATION_LANGUAGES = {"json", "text"}

_FENCE = re.compile(r"^```(\w*)\s*$")
_STATUS = re.compile(r"^Answer `(\d{3})`:$")
_SERVER = re.compile(r"^<!-- server:((?: [A-Z_]+=\S+)*) -->$")


class DocumentError(Exception):
    """The document has a block that no rule explains: it would be read but never run."""


@dataclass
class Example:
    line: int
    language: str
    code: str
    settings: dict[str, str] = field(default_factory=dict)
    status: int | None = None
    expectation_language: str | None = None
    expectation: str | None = None


def read_examples(document: Path) -> list[Example]:
    examples: list[Example] = []
    settings: dict[str, str] = {}
    lines = iter(enumerate(document.read_text().splitlines(), start=1))
    for number, line in lines:
        if match := _SERVER.match(line):
            settings = dict(pair.split("=", 1) for pair in match[1].split())
        elif match := _STATUS.match(line):
            if not examples:
                raise DocumentError(f"line {number}: an answer before the first example")
            examples[-1].status = int(match[1])
        elif match := _FENCE.match(line):
            body = []
            for _, inner in lines:
                if inner.strip() == "```":
                    break
                body.append(inner)
            else:
                raise DocumentError(f"line {number}: the block is never closed")
            text = "\n".join(body) + "\n"
            if match[1] in EXAMPLE_LANGUAGES:
                examples.append(Example(number, match[1], text, settings))
            elif match[1] in EXPECTATION_LANGUAGES and examples and examples[-1].expectation is None:
                examples[-1].expectation_language, examples[-1].expectation = match[1], text
            else:
                raise DocumentError(f"line {number}: a {match[1] or 'nameless'} block that is nobody's output")
    return examples


def json_values(text: str) -> list[object]:
    """All JSON values of the text, one after the other."""
    values, decoder, offset = [], json.JSONDecoder(), 0
    while offset < len(text.rstrip()):
        offset += len(text[offset:]) - len(text[offset:].lstrip())
        value, offset = decoder.raw_decode(text, offset)
        values.append(value)
    return values


def difference(stated: object, actual: object, path: str = "$") -> str | None:
    """Where the actual value is not the stated one, in words; None if they agree."""
    if stated == ANYTHING:
        return None
    if isinstance(stated, dict) and isinstance(actual, dict):
        if set(stated) != set(actual):
            missing, extra = sorted(set(stated) - set(actual)), sorted(set(actual) - set(stated))
            return f"{path}: stated but missing {missing}, there but not stated {extra}"
        differences = (difference(stated[key], actual[key], f"{path}.{key}") for key in stated)
        return next(filter(None, differences), None)
    if isinstance(stated, list) and isinstance(actual, list):
        if len(stated) != len(actual):
            return f"{path}: stated {len(stated)} elements, there are {len(actual)}: {actual}"
        differences = (difference(a, b, f"{path}[{i}]") for i, (a, b) in enumerate(zip(stated, actual)))
        return next(filter(None, differences), None)
    if isinstance(stated, str) and isinstance(actual, str) and ANYTHING in stated:
        return None if text_matches(stated, actual) else f"{path}: stated {stated!r}, is {actual!r}"
    if type(stated) is not type(actual) or stated != actual:
        return f"{path}: stated {stated!r}, is {actual!r}"
    return None


def text_matches(stated: str, actual: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in stated.split(ANYTHING))
    return re.fullmatch(pattern, actual, re.DOTALL) is not None
