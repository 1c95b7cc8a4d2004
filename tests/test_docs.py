"""What the README and the pages in docs/ say of the code is so."""

import json
import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import typer
import yaml

from function.events.catalog import CATALOG
from function.events.parse import parse
from function.model.outcome import GuardCode, Status
from function.model.request import Source, StopRequest
from function.settings import Settings
from local.command_line.commands import app

ROOT = Path(__file__).parents[1]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
}


def rows(page: str, heading: str) -> list[list[str]]:
    """Give the cells of the table rows under a heading, without the table's own head."""
    section = PAGES[page].split(f"{heading}\n", 1)[1].split("\n#", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def anchor(heading: str) -> str:
    """Give a heading's anchor as GitHub makes it: lower case, hyphens for spaces, no other signs."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_every_link_leads_somewhere() -> None:
    """Each link inside the project names a file that exists, and a heading that this file has."""
    links = [
        (page, link)
        for page, text in PAGES.items()
        for link in re.findall(r"\]\(([^)\s]+)\)", text)
        if "://" not in link
    ]
    assert len(links) > 20
    for page, link in links:
        name, _, wanted = link.partition("#")
        target = (ROOT / page).parent / name if name else ROOT / page
        assert target.exists(), f"{page}: {link}"
        if wanted:
            headings = re.findall(r"^#+ (.+)", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert wanted in {anchor(heading) for heading in headings}, f"{page}: {link}"


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    """It has at most 150 lines, and a link to each page in docs/."""
    readme = PAGES["README.md"]
    assert len(readme.splitlines()) <= 150
    pages = {page for page in PAGES if page.startswith("docs/")}
    assert len(pages) == 8
    assert {page for page in pages if f"]({page})" not in readme} == set()


def outside_comments(page: str) -> list[str]:
    """Give the lines of a page's blocks, without what stands behind a number sign."""
    blocks = [line for line in PAGES[page].splitlines() if line.startswith("    ")]
    return [re.sub(r"\s+# .*", "", line) for line in blocks]


def marks(page: str) -> list[str]:
    """Give what reads the same in any language, in its order: code, links, and the defaults in tables."""
    text = re.sub(r"^ {4}.*\n", "", PAGES[page], flags=re.MULTILINE)
    return re.findall(r"`([^`]+)`|\]\(((?!README)[^)]+)\)", text)


def test_the_chinese_readme_is_the_english_one() -> None:
    """Commands and output are the same, line by line; so are code, links and figures, by section."""
    assert outside_comments("README.zh-CN.md") == outside_comments("README.md")
    assert sorted(marks("README.zh-CN.md")) == sorted(marks("README.md"))
    chinese, english = (PAGES[page].split("\n## ") for page in ("README.zh-CN.md", "README.md"))
    assert len(chinese) == len(english)
    for one, other in zip(chinese, english, strict=True):
        assert sorted(re.findall(r"\d+ ?MB|`\d+`|\b100\b|3\.11", one)) == sorted(
            re.findall(r"\d+ ?MB|`\d+`|\b100\b|3\.11", other)
        )


def test_the_demo_shows_what_the_readme_says() -> None:
    """Each line of output that the README shows is one that the demo prints."""
    command = [str(Path(sys.executable).with_name("stop-guard")), "invoke", "events/timer.json"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    printed = [[cell for cell in line.split("\t") if cell] for line in ran.stdout.splitlines()]
    (block,) = (block for block in blocks("README.md", "## Try it") if block.startswith("Instance"))
    _, *shown = [line for line in block.splitlines() if line != "…"]
    assert len(shown) == 8
    for line in shown:
        first, *rest = (part.rstrip("… ") for part in re.split(r" {2,}", line))
        assert any(
            cells[0].startswith(first) and all(any(cell.startswith(part) for cell in cells) for part in rest)
            for cells in printed
        ), line


def test_the_settings_that_matter_first_are_those_of_the_table() -> None:
    """What the README says of a setting's default is what the page says that has them all."""
    table = {
        name: row[2]
        for row in rows("docs/settings.md", "# Settings")
        for name in re.findall(r"[A-Z][A-Z_]+", row[0])
    }
    first = {row[0].strip("`"): row[2] for row in rows("README.md", "## A first event")}
    assert len(first) > 5
    assert first == {name: table[name] for name in first}


def test_the_changelog_begins_with_this_version() -> None:
    """Whoever upgrades reads first what the version at hand changes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert re.findall(r"^## (.+)", PAGES["CHANGELOG.md"], re.MULTILINE)[0] == project["version"]


def test_the_table_of_sources_is_that_of_the_code() -> None:
    """Each kind of event has its row, under its sample's name and its sender; there are no others."""
    listed = {row[0].strip("`"): row[1] for row in rows("docs/events.md", "## What can send one")}
    assert listed == {kind.name: kind.sent_by for kind in CATALOG}


def test_every_setting_is_listed_with_its_default() -> None:
    """The table of settings names every variable, and the default that it has."""
    table = {
        name: row[2].strip("`")
        for row in rows("docs/settings.md", "# Settings")
        for name in re.findall(r"[A-Z][A-Z_]+", row[0])
    }
    assert set(table) >= Settings.variables()
    defaults = Settings.from_environment({})
    shown = {
        str(field.alias): getattr(defaults, name)
        for name, field in Settings.model_fields.items()
        if isinstance(getattr(defaults, name), int | str) and not isinstance(getattr(defaults, name), bool)
    }
    assert {name: table[name] for name in shown} == {name: str(value) for name, value in shown.items()}


def test_every_status_and_every_code_of_the_guard_is_explained() -> None:
    """Whoever finds a status or a code in the log finds it on the page for operators."""
    assert {row[0].strip("`") for row in rows("docs/operate.md", "## Outcomes")} == {
        str(status) for status in Status
    }
    assert {code for code in GuardCode if f"`{code}`" not in PAGES["docs/operate.md"]} == set()


def blocks(page: str, heading: str) -> list[str]:
    """Give the indented blocks under a heading."""
    section = PAGES[page].split(f"{heading}\n", 1)[1].split("\n## ", 1)[0]
    return [textwrap.dedent(block).strip() for block in re.findall(r"(?:^ {4}.*\n)+", section, re.MULTILINE)]


def test_it_is_five_commands_to_the_cloud() -> None:
    """Key, stack, function, tag, try: each in a block, with files that exist and an event that is one."""
    key, stack, deploy, tag, try_it = blocks("README.md", "## To the cloud in five commands")
    assert key == "aliyun configure && s config add -a default"
    assert "CreateStack" in stack
    (file,) = re.findall(r"\$\(cat ([\w./]+)\)", stack)
    assert (ROOT / file).exists()
    assert deploy == "s deploy -t template.yml -y"
    required = Settings.from_environment({}).required_tag
    assert required is not None
    assert f"--Tag.1.Key {required.key} --Tag.1.Value {required.value}" in tag
    *invoke, payload = shlex.split(try_it)
    assert invoke == ["s", "invoke", "-t", "template.yml", "-e"]
    (request,) = parse(payload.encode(), now=datetime(2026, 1, 30, 12, tzinfo=UTC)).events
    assert isinstance(request, StopRequest)
    assert request.dry_run
    assert request.selection is not None
    assert request.selection.tags == (required,)


def commands(text: str) -> list[list[str]]:
    """Give the words of each `aliyun` command in a page, in a block or in a line."""
    found = re.findall(r"`(aliyun [^`]+)`", text)
    lines = iter(text.replace("\\\n", " ").splitlines())
    for line in lines:
        if line.startswith("    aliyun "):
            command = line
            while command.count("'") % 2:  # an argument over several lines
                command += next(lines)
            found.append(command)
    words = [shlex.split(command.replace("&&", ";"), comments=True) for command in found]
    return [command for command in words if len(command) > 2 and command[2][:1].isupper()]


def test_every_aliyun_command_is_one_that_the_command_line_knows() -> None:
    """Each call and parameter is in the command line's metadata; none that must be there is missing."""
    known = json.loads((ROOT / "tests" / "aliyun" / "parameters.json").read_text(encoding="utf-8"))
    own = {"region", "waiter", "force", "MaxResults", "pager"}
    seen = set()
    for page, text in PAGES.items():
        for _, product, action, *rest in commands(text):
            seen.add(f"{product} {action}")
            parameters = known[f"{product} {action}"]
            given = {word[2:].split("=")[0] for word in rest if word.startswith("--")}
            names = {name.split(".")[0] for name in given}
            unknown = names - {name.rstrip("?") for name in parameters} - own
            assert unknown == set(), f"{page}: {product} {action}"
            for name in given - own:
                base, *numbered = name.split(".")
                takes = parameters.get(base, parameters.get(f"{base}?"))
                assert isinstance(takes, list) == (len(numbered) == 2), f"{page}: --{name}"
                assert (takes == "list") == (len(numbered) == 1), f"{page}: --{name}"
                assert not isinstance(takes, list) or numbered[1] in takes, f"{page}: --{name}"
            # Where the region may be left to `--region`, which the command line turns into RegionId.
            needed = {name for name in parameters if not name.endswith("?")} - (
                {"RegionId"} if "region" in given else set()
            )
            assert "…" in rest or needed <= names, f"{page}: {product} {action} lacks {needed - names}"
    assert seen == set(known)


def written(text: str, command: str) -> list[list[str]]:
    """Give the words of each call of a command in a page's blocks, up to a comment or the end of the line."""
    lines = re.findall(rf"(?:^ {{4}}|&& )(?:\S*/)?{command} (.*)", text.replace("\\\n", " "), re.MULTILINE)
    inside = re.findall(rf"`(?:[A-Z_]+=\S+ )?(?:\.venv/bin/)?{command} ([^`]+)`", text)
    return [shlex.split(line.split("  #")[0].split(" &&")[0], comments=True) for line in [*lines, *inside]]


def test_every_command_of_stop_guard_has_the_options_that_are_shown() -> None:
    """Whoever copies a line from a page has a command that exists, with options that it takes."""
    commands = typer.main.get_group(app).commands
    seen = set()
    for page, text in PAGES.items():
        for command, *rest in written(text, "stop-guard"):
            if command in {"…", "--version", "-h"}:
                continue
            seen.add(command)
            known = {name for one in commands[command].params for name in (*one.opts, *one.secondary_opts)}
            assert {word for word in rest if re.fullmatch("--?[a-z-]+", word)} <= known, f"{page}: {command}"
    assert seen >= {"invoke", "explain", "savings", "emulator", "check"}


def test_every_command_of_serverless_devs_has_the_options_that_are_shown() -> None:
    """As `s COMMAND --help` of version 3.1.10 with the component fc3 0.1.22 lists them."""
    known = {
        "deploy": {"-t", "-y", "--trigger"},
        "invoke": {"-t", "-e"},
        "logs": {"-t"},
        "plan": {"-t"},
        "remove": {"-t", "-y", "--trigger"},
        "config": {"-a"},
        "set": set(),
    }
    seen = set()
    for page, text in PAGES.items():
        for command, *rest in written(text, "s"):
            seen.add(command)
            assert {word for word in rest if re.fullmatch("--?[a-z-]+", word)} <= known[command], (
                f"{page}: {command}"
            )
            if "-t" in rest:
                assert rest[rest.index("-t") + 1] in {"template.yml", "my.yml"}
    assert seen == set(known)


def test_each_switch_of_a_trigger_is_listed() -> None:
    """The table of switches has all variables of the template that are on or off."""
    variables = yaml.safe_load((ROOT / "template.yml").read_text(encoding="utf-8"))["vars"]
    switches = {name for name, value in variables.items() if isinstance(value, bool)}
    assert {row[0].strip("`") for row in rows("docs/deploy.md", "## Switching on")} == switches


def test_every_target_of_make_that_is_named_exists() -> None:
    """`make demo` and the rest are targets of the Makefile, with a line in `make help`."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.* ## ", makefile, re.MULTILINE))
    named = {name for text in PAGES.values() for name in re.findall(r"(?:`| {4}|&& )make ([a-z-]+)", text)}
    assert len(named) > 5
    assert named <= targets


def test_a_saved_query_searches_for_every_status_that_it_asks_for() -> None:
    """What comes before the bar narrows down what the SQL gets to see, so it must let all of that through."""
    section = PAGES["docs/operate.md"].split("## Questions to the log\n", 1)[1].split("\n#", 1)[0]
    queries = re.findall(r"^    (message: .+?)\|(.+?)^$", section, re.MULTILINE | re.DOTALL)
    assert queries
    for search, sql in queries:
        searched = set(re.findall(r"message: (\w+)", search)) & {*Status}
        asked = set(re.findall(r"'(\w+)'", sql)) & {*Status}
        assert searched in (set(), asked)


def test_what_the_page_tells_senders_to_write_is_read() -> None:
    """With values in the place of the capitals, each template names its instance and its state."""
    section = PAGES["docs/events.md"].split("## Senders whose body you write\n", 1)[1].split("\n## ", 1)[0]
    alert, request = re.findall(r"```json\n(.+?)\n```", section, re.DOTALL)
    values = {"INSTANCE_ID": "i-bp1a", "REGION_ID": "cn-beijing", "NAME": "idle", "STATUS": "resolved"}
    read = []
    for template in (alert, request):
        text = re.sub(r"[A-Z_]{4,}", lambda found: values[found[0]], template)
        (asked,) = parse(text.encode(), now=datetime.now(UTC)).events
        assert isinstance(asked, StopRequest), asked
        assert asked.problem is None
        read.append((asked.source, asked.instance_ids, asked.region_ids, asked.alarm_state))
    assert read == [
        (Source.ALERTMANAGER, ("i-bp1a",), (), "resolved"),
        (Source.REQUEST, ("i-bp1a",), ("cn-beijing",), None),
    ]


def test_the_page_says_of_each_kind_where_it_was_seen() -> None:
    """Whoever relies on a sender knows what that rests on."""
    seen = {
        name
        for row in rows("docs/events.md", "## What was seen where")
        for name in re.findall(r"`([\w.]+)`", row[0])
    }
    assert seen == {kind.name for kind in CATALOG}
