"""The detector card: `dsp/CARD.md` and `dsp/card.json`, from one report and nothing else.

`switch/call/ladder.py` reads `wrong_cuts` of `card.json`: per kind and path class the upper 95 %
bound of the share of honest calls that would be cut, of the household set on G.711. What was not
measured has no entry there, and the ladder then never cuts.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from switch.call.ladder import WRONG_CUTS_MAX
from tests.detection.talk_off import poisson_upper

Report = Mapping[str, Any]

PATH_CLASS = "g711"
"""Of the household set: the ladder asks by this name."""
CUT_KINDS = ("three_way", "forwarded")
MINUTES = 20
"""Of an ordinary call."""

LIMITS = (
    "Digits and tones: G.711 µ-law only; three-way calls: the path classes of the table.",
    "Mobile loss is lost RTP on our side; what a radio link loses is concealed before, not tried.",
    "DTX of mobile networks is not in the chains; synthetic voices stand in for most people.",
    "Household sounds are synthetic; a hold, its tones and its merge are made by scripts.",
    "Voices: prompts of two women (English and Spanish are one, Russian the other), studio sound.",
    "A tape is one hour of sound at many speeds: its parts are alike, and the bound is too narrow.",
    "Music: five tracks; two for fitting, three for the report.",
    "Not measured: forwarding before answer, device changes, answering machines, music, AMR homes.",
    "What is not measured has no rate, and enables no cut.",
)


def card_json(report: Report) -> str:
    """What the switch reads, with the figures beside it."""
    figures = {name: value for name, value in report.items() if name not in ("processor", "kernel")}
    whole = {"wrong_cuts": wrong_cuts(report), "figures": figures}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def figures(folder: Path, family: str) -> dict[str, Any]:
    """What the card in a folder has of a family; nothing if it is of another, or not there."""
    path = folder / "card.json"
    kept: dict[str, Any] = json.loads(path.read_text())["figures"] if path.exists() else {}
    return kept if kept.get("family") == family else {}


def wrong_cuts(report: Report) -> dict[str, dict[str, float]]:
    """Upper 95 % bound of the share of 20-minute calls that have a cut-eligible alarm.

    The household set knows no kinds that are absent from it: each kind that may cut has its own
    count there, none meaning that it was listened for and never heard.
    """
    if "household" not in report:
        return {}
    whole = report["household"]["all"]
    per_call = MINUTES / 60 / max(whole["hours"], 1e-9)
    counts: Mapping[str, int] = whole["cut_by_kind"]
    return {
        kind: {PATH_CLASS: float(f"{poisson_upper(counts.get(kind, 0)) * per_call:.3g}")}
        for kind in CUT_KINDS
    }


def card_md(report: Report) -> str:
    """The card for a reader; a part that the run left out says so."""
    lines = [
        "# Detector card",
        "",
        f"Made by `make detection` from the *{report['family']}* family, seed {report['seed']}.",
        f"Voices: {', '.join(report['voices'])}. Constants were fitted on another family.",
        "",
    ]
    for (title, needs), section in SECTIONS.items():
        lines += [f"## {title}", ""]
        if all(name in report for name in needs):
            lines += section(report)
        else:
            lines.append("Not measured in this run.")
        lines.append("")
    return "\n".join([*lines, "## Limits", "", *(f"- {limit}" for limit in LIMITS)]) + "\n"


def _digits(report: Report) -> list[str]:
    return [
        "| keys | kinline | libspandsp | target | |",
        "|---|---|---|---|---|",
        *(_digit_line(cell) for cell in report["digits"]),
        "",
        f"Median latency, clean: {report['digits'][0]['kinline_latency_ms']} ms from its begin.",
    ]


def _talk_off(report: Report) -> list[str]:
    return [
        "| tape | receiver | hours | false | per 100 h | at most (95 %) |",
        "|---|---|---|---|---|---|",
        *_rates("talk", report["talk_off_speech"]),
        *_rates("music", report["talk_off_music"]),
        "",
        f"Target: 2 per 100 h. {_bound(report)}",
    ]


def _progress(report: Report) -> list[str]:
    return [
        "| tone | told in time | within | median | as another | target | |",
        "|---|---|---|---|---|---|---|",
        *(_tone_line(row) for row in report["progress"]),
        "",
        _tty(report["tty"]),
    ]


def _false_tones(report: Report) -> list[str]:
    return [
        "| tape | kind | hours | false | per 100 h | at most (95 %) |",
        "|---|---|---|---|---|---|",
        *_rates("talk", report["false_tones_speech"]),
        *_rates("music", report["false_tones_music"]),
        "",
        "Target: 0.5 per 100 h of ringback and SIT.",
    ]


def _activity(report: Report) -> list[str]:
    return [
        "| noise | area, kinline | area, power of the frame | target | | talk kept | noise kept |",
        "|---|---|---|---|---|---|---|",
        *(_activity_line(row) for row in report["activity"]),
        "",
        "Under the ROC curve, over frames of 20 ms, of which a third are talk; told 40 ms late.",
    ]


def _activity_line(row: Mapping[str, Any]) -> str:
    least = row["target_min"]
    return (
        f"| {row['noise']} | {row['kinline_auc']:.3f} | {row['power_auc']:.3f} |"
        f" {f'≥ {least:g}' if least is not None else 'none'} |"
        f" {_reached(row['reached']) if least is not None else ''} |"
        f" {100 * row['talk_kept']:.1f} % | {100 * row['noise_kept']:.1f} % |"
    )


def _three_way(report: Report) -> list[str]:
    return [
        "Told at `warn` or above, from hold to 20 s after the merge; latency from the merge.",
        "",
        "| path | told | at least | of | target | | median | p95 | waiting as 3-way | as waiting |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(_three_way_line(row) for row in report["three_way"]),
        "",
        "| path | told, by script |",
        "|---|---|",
        *(_script_line(row) for row in report["three_way"]),
        "",
        "Targets: median 6 s; call waiting told as three-way 1 %. At least: with 95 %.",
    ]


def _household(report: Report) -> list[str]:
    return [
        "| class | hours | warn | per 100 h | at most | cut-eligible | per 100 h | at most |",
        "|---|---|---|---|---|---|---|---|",
        *(_home_line(name, row) for name, row in report["household"].items()),
        "",
        "At most: with 95 %. Targets: 2 warn or above, 0.5 cut-eligible per 100 h.",
        _home_bound(report["household"]["all"]),
        "",
        *_cut_lines(report),
    ]


SECTIONS: Mapping[tuple[str, tuple[str, ...]], Callable[[Report], list[str]]] = {
    ("Digits, 400 keys a line, -13 dBm0 a tone, 50 ms unless said", ("digits",)): _digits,
    (
        "Digits heard where there are none, re-speeded tape (0.70 to 1.40)",
        ("talk_off_speech", "talk_off_music"),
    ): _talk_off,
    (
        "Call progress, SIT, fax, TTY: -30 dBm0, 10 dB over white noise, after answer",
        ("progress", "tty"),
    ): _progress,
    (
        "Tones heard where there are none, re-speeded tape",
        ("false_tones_speech", "false_tones_music"),
    ): _false_tones,
    ("Voice activity, talk of -18 dBm0 in noise", ("activity",)): _activity,
    ("Three-way calls and call waiting, per path class", ("three_way",)): _three_way,
    ("Honest calls in loud homes", ("household",)): _household,
}
"""Title and what it needs of the report; then its lines."""


def _digit_line(cell: Mapping[str, Any]) -> str:
    least, most = cell["target_min"], cell["target_max"]
    target = f"≥ {100 * least:g} %" if least is not None else f"≤ {100 * most:g} %"
    return (
        f"| {cell['cell']} | {100 * cell['kinline_taken']:.2f} % |"
        f" {100 * cell['libspandsp_taken']:.2f} % | {target} | {_reached(cell['reached'])} |"
    )


def _tone_line(row: Mapping[str, Any]) -> str:
    return (
        f"| {row['row']} | {100 * row['taken']:.0f} % of {row['sent']} | {row['until_s']} s |"
        f" {row['latency_s']} s | {100 * row['taken_for_another']:.0f} % |"
        f" ≥ {100 * row['target_min']:g} % | {_reached(row['reached'])} |"
    )


def share_lower(share: float, count: int) -> float:
    """Lower 95 % bound (one-sided) of a share of `count`. Wilson, 1927."""
    z = 1.645
    middle = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return float((middle - spread) / (1 + z * z / count))


def _three_way_line(row: Mapping[str, Any]) -> str:
    least = row["target_min"]
    target = f"≥ {100 * least:g} %" if least is not None else "none"
    return (
        f"| {row['path']} | {100 * row['detected']:.1f} % |"
        f" {100 * share_lower(row['detected'], row['calls']):.0f} % | {row['calls']} | {target} |"
        f" {_reached(row['reached']) if least is not None else ''} | {row['latency_s']} s |"
        f" {row['latency_p95_s']} s | {100 * row['waiting_told_three_way']:.1f} % |"
        f" {100 * row['waiting_told_waiting']:.0f} % |"
    )


def _script_line(row: Mapping[str, Any]) -> str:
    told = row["detected_by_script"]
    return f"| {row['path']} | {', '.join(f'{k} {100 * v:.0f} %' for k, v in told.items())} |"


def _home_line(name: str, row: Mapping[str, Any]) -> str:
    return f"| {name} | {row['hours']} |" + "".join(
        f" {row[tier]} | {row[tier + '_per_100_h']} | {row[tier + '_per_100_h_upper_95']} |"
        for tier in ("warn", "cut_eligible")
    )


def _home_bound(whole: Mapping[str, Any]) -> str:
    limits = {"warn": 2.0, "cut_eligible": 0.5}
    if all(whole[f"{tier}_per_100_h_upper_95"] <= most for tier, most in limits.items()):
        return "Reached, with the bound."
    if all(whole[f"{tier}_per_100_h"] <= most for tier, most in limits.items()):
        return "The figures reach them; the bounds of so few hours do not."
    return "**Not reached.**"


def _cut_lines(report: Report) -> Sequence[str]:
    return [
        f"`{kind}` on {path}: at most {100 * bound:.3g} % of 20-minute calls would be cut wrongly"
        f" (95 %); a cut needs {100 * WRONG_CUTS_MAX:g} %:"
        f" {'allowed' if bound <= WRONG_CUTS_MAX else '**not allowed**'}."
        for kind, paths in wrong_cuts(report).items()
        for path, bound in paths.items()
    ]


def _rates(tape: str, rates: Mapping[str, Mapping[str, float]]) -> Sequence[str]:
    return [
        f"| {tape} | {who} | {rate['hours']} | {rate['false_digits']} | {rate['per_100_h']} |"
        f" {rate['per_100_h_upper_95']} |"
        for who, rate in rates.items()
    ]


def _reached(is_reached: bool) -> str:
    return "reached" if is_reached else "**not reached**"


def _bound(report: Report) -> str:
    names = ("talk_off_speech", "talk_off_music")
    rates = [report[name]["kinline"] for name in names]
    if all(rate["per_100_h_upper_95"] <= 2 for rate in rates):
        return "Reached, with the bound."
    if all(rate["per_100_h"] <= 2 for rate in rates):
        return "The figure reaches it; the bound of a tape of this length does not."
    return "**Not reached.**"


def _tty(tty: Mapping[str, float]) -> str:
    return (
        f"TTY: {tty['hours']} h over {tty['legs']} legs; told as TTY on"
        f" {100 * tty['told_as_tty']:.0f} % of them, {tty['other_events']} other events."
    )
