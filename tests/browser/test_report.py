"""The live report in a real browser: it lists, it runs no foreign script, it complains of nothing."""

import re

import chromium
import conftest as made

MARK = "document.documentElement.setAttribute('data-ran','yes')"
HOSTILE = [
    f"<script>{MARK}</script>",
    f"</script><script>{MARK}</script>",
    f'"><img src=x onerror="{MARK}">',
    f"' onmouseover='{MARK}' autofocus onfocus='{MARK}' x='",
    f"<svg onload=\"{MARK}\">",
    f"<!--<script>{MARK}//-->",
    f"javascript:{MARK}",
    f"<iframe srcdoc=\"<script>{MARK}</script>\"></iframe>",
    f"<style>@import 'x';</style><link rel=stylesheet href=x><base href=x><meta http-equiv=refresh content='0;url=x'>",
    "\u2028\u2029\u202e]]>--!>",
]


def test_no_word_of_an_attacker_runs_whichever_field_it_stands_in(page):
    for word in HOSTILE:
        opened = chromium.opened(page(made.report(word)))
        assert "data-ran" not in re.search(r"<html[^>]*>", opened.dom).group(), word
        assert opened.complaints == [], word
        assert 'id="rows"><tr' in opened.dom, "the findings are not listed"


def test_what_an_attacker_wrote_is_shown_as_he_wrote_it(page):
    opened = chromium.opened(page(made.report("<b>bold</b>")))
    assert "&lt;b&gt;bold&lt;/b&gt;</button>" in opened.dom


def test_the_page_lists_the_worst_first_and_counts_what_it_lists(page):
    opened = chromium.opened(page(made.report(findings=made.findings(30))))
    rows = re.findall(r'<tr><td><span class="badge (\w+)">', opened.dom.split('id="rows">')[1].split("</tbody>")[0])
    assert rows == ["critical"] * 3 + ["low"] * 27
    assert "30 findings</output>" in opened.dom
    assert opened.complaints == []


def test_ten_thousand_findings_are_listed_in_parts(page):
    opened = chromium.opened(page(made.report(findings=made.findings(10_000))))
    assert opened.dom.split('id="rows">')[1].split("</tbody>")[0].count("<tr>") == 200
    assert "10000 findings</output>" in opened.dom
    assert '<button id="more" type="button">' in opened.dom
    assert opened.complaints == []


def test_it_prints_every_finding(page, tmp_path):
    out = tmp_path / "report.pdf"
    chromium.run(page(made.report(findings=made.findings(450))), f"--print-to-pdf={out}")
    pages = len(re.findall(rb"/Type\s*/Page\b", out.read_bytes()))
    assert pages >= 8, f"{pages} pages cannot hold 450 findings"
