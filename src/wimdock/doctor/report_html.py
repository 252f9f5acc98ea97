"""A report as one HTML file: to attach to a ticket, to print, to read without a network.

Everything that comes from a log is escaped, and signs that are not to be seen are written out. The
page holds no script and loads nothing; a policy in its head forbids it to.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable

from wimdock.doctor.phrasing import (
    Names,
    application_words,
    case_words,
    code_words,
    headline,
    mention_words,
    quiet_words,
    read_words,
    relations,
    spoken,
    title,
)
from wimdock.doctor.report import Report, Reported

BEGINNING = "<!doctype html>\n<!-- wimdock doctor -->\n"
"""What every page begins with, so that one may be written over."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #f3f5f7; --line: #cfd6dd;
  --quiet: #57606a; --high: #b3261e; --medium: #8a5a00; --low: #4a5560; --good: #1a6b34; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --paper: #14181c; --soft: #1e242a;
  --line: #3a444e; --quiet: #9aa5b1; --high: #ff8a80; --medium: #f2c063; --low: #b5c0cc;
  --good: #7fd99a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1.25rem 3rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.35rem; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 0 0 .5rem; }
h3 { font-size: .95rem; margin: 1.1rem 0 .3rem; color: var(--quiet); }
p, ul, ol, dl { margin: .3rem 0; }
li { margin: .2rem 0; }
section { border: 1px solid var(--line); border-left: .35rem solid var(--low); border-radius: .4rem;
  margin: 1.5rem 0; padding: 1rem 1.25rem; }
section.high { border-left-color: var(--high); }
section.medium { border-left-color: var(--medium); }
.badge { border: 1px solid currentcolor; border-radius: 1rem; font-size: .8rem; font-weight: 600;
  padding: 0 .55rem; white-space: nowrap; }
.high .badge, .no { color: var(--high); }
.medium .badge { color: var(--medium); }
.low .badge { color: var(--low); }
.yes { color: var(--good); }
.quiet { color: var(--quiet); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; }
dt { color: var(--quiet); }
dd { margin: 0; }
pre, code { font-family: ui-monospace, Consolas, monospace; font-size: .86rem; }
pre { background: var(--soft); border-radius: .3rem; margin: .25rem 0 .6rem; padding: .5rem .7rem;
  white-space: pre-wrap; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .75rem .25rem 0; text-align: left;
  vertical-align: top; }
a { color: inherit; }
@media print { :root { --ink: #000; --paper: #fff; --soft: #f3f3f3; --line: #999; --quiet: #333;
  --high: #000; --medium: #000; --low: #000; --good: #000; }
  body { font-size: 10pt; max-width: none; padding: 0; }
  section { border-left-width: 1px; } h2, h3, pre, li { break-inside: avoid; }
  h2, h3 { break-after: avoid; } }
"""


def page_of(report: Report) -> str:
    """Give the whole page."""
    names = Names(report)
    parts = [
        BEGINNING,
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n',
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
        '<meta name="referrer" content="no-referrer">\n',
        f"<title>{_text(headline(report))}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n",
        f"<header>\n<h1>{_text(headline(report))}</h1>\n{_list(read_words(report), 'quiet')}",
        '<p class="quiet">Names are masked in this report.</p>\n' if report.redacted else "",
        "</header>\n<main>\n",
        *(_finding(finding, names) for finding in report.findings),
    ]
    if report.mentioned:
        mentioned = [mention_words(each, names) for each in report.mentioned]
        parts.append(f'<p class="quiet">{_text(quiet_words())}</p>\n{_list(mentioned, "quiet")}')
    parts.append("</main>\n</body>\n</html>\n")
    return "".join(parts)


def _text(text: str) -> str:
    """Escape a text, with signs that are not to be seen written out."""
    shown = "".join(
        char.encode("unicode_escape", "surrogatepass").decode("ascii")
        if unicodedata.category(char) in _HIDDEN and char != "\n"
        else char
        for char in text
    )
    return html.escape(shown, quote=True)


def _finding(finding: Reported, names: Names) -> str:
    level = finding.confidence or "low"
    badge = f"{finding.confidence} confidence" if finding.confidence else "unknown"
    badge = "wimdock" if finding.by_wimdock else badge
    parts = [
        f'<section class="{_text(level)}" id="finding-{finding.number}">\n',
        f'<h2>{_text(title(finding))} <span class="badge">{_text(badge)}</span></h2>\n',
        *(f"<p><strong>{_text(line)}</strong></p>\n" for line in relations(finding, names)),
        _pairs(case_words(finding.case, names)),
        _paragraph("What happened", finding.what_happened),
        _paragraph("Cause", finding.cause),
        _paragraph("Why this is it", finding.because),
        _titled("Codes", map(code_words, finding.codes)),
        _evidence(finding, names),
        _titled("Codes beside it", map(code_words, finding.also_seen)),
        _titled(
            "Looked at and ruled out",
            (f"Failure {each.number}, {each.title}: {each.because}" for each in finding.ruled_out),
        ),
        _hosts(finding),
        _titled("Notes", finding.notes),
        _advice(finding),
        _clean_up(finding),
        _sources(finding),
        "</section>\n",
    ]
    return "".join(parts)


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    rows = "".join(f"<dt>{_text(word)}</dt><dd>{_text(value)}</dd>\n" for word, value in pairs)
    return f"<dl>\n{rows}</dl>\n" if rows else ""


def _paragraph(name: str, text: str) -> str:
    return f"<h3>{_text(name)}</h3>\n<p>{_text(text)}</p>\n" if text else ""


def _list(lines: Iterable[str], kind: str = "") -> str:
    rows = "".join(f"<li>{_text(line)}</li>\n" for line in lines)
    attribute = f' class="{kind}"' if kind else ""
    return f"<ul{attribute}>\n{rows}</ul>\n" if rows else ""


def _titled(name: str, lines: Iterable[str]) -> str:
    found = _list(lines)
    return f"<h3>{_text(name)}</h3>\n{found}" if found else ""


def _evidence(finding: Reported, names: Names) -> str:
    parts = []
    for quote in finding.evidence:
        again = f" ({quote.repeated:,} more like it)" if quote.repeated else ""
        parts.append(
            f'<div class="quiet">{_text(names.spot(quote.file, quote.line) + again)}</div>\n'
            f"<pre>{_text(quote.text)}</pre>\n"
        )
    if finding.evidence_left_out:
        parts.append(f'<p class="quiet">and {finding.evidence_left_out:,} more</p>\n')
    return f"<h3>Evidence</h3>\n{''.join(parts)}" if parts else ""


def _hosts(finding: Reported) -> str:
    rows = "".join(
        f"<tr><td>{_text(each.name)}</td><td>{_text(each.build)}</td>"
        f"<td>{_text(spoken(each.verdict))}</td><td>{_text(each.reason)}</td></tr>\n"
        for each in finding.hosts
    )
    head = "<tr><th>Host</th><th>Windows</th><th>Verdict</th><th>Why</th></tr>"
    return f"<h3>Hosts</h3>\n<table>\n{head}\n{rows}</table>\n" if rows else ""


def _advice(finding: Reported) -> str:
    parts = []
    for each in finding.what_to_do:
        kind = {"fits": "yes", "does_not_fit": "no"}.get(each.fits, "quiet")
        why = f": {each.why}" if each.why else ""
        fits = f' <span class="{kind}">[{_text(spoken(each.fits) + why)}]</span>'
        applications = _list(map(application_words, each.applications))
        parts.append(
            f"<li><strong>{_text(each.title)}</strong>{fits}<br>{_text(each.text)}"
            f"{applications}</li>\n"
        )
    return f"<h3>What to do</h3>\n<ul>\n{''.join(parts)}</ul>\n" if parts else ""


def _clean_up(finding: Reported) -> str:
    parts = []
    for step in finding.clean_up:
        command = f"<pre>{_text(step.command)}</pre>" if step.command else ""
        parts.append(f"<li>{_text(step.text)}{command}</li>\n")
    return f"<h3>Clean up, in this order</h3>\n<ol>\n{''.join(parts)}</ol>\n" if parts else ""


def _sources(finding: Reported) -> str:
    rows = "".join(
        f'<li><a href="{_text(each.url)}" rel="noreferrer">{_text(each.title)}</a></li>\n'
        if each.url.startswith("https://")
        else f"<li>{_text(each.title)}</li>\n"
        for each in finding.sources
    )
    return f"<h3>Sources</h3>\n<ul>\n{rows}</ul>\n" if rows else ""
