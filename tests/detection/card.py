"""The detector card: `dsp/CARD.md` and `dsp/card.json`, from one report and nothing else.

`switch/call/ladder.py` reads `wrong_cuts` of `card.json`: per kind and path class the upper 95 %
bound of the share of honest calls that would be cut. What was not measured has no entry there, and
the ladder then never cuts.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

Report = Mapping[str, Any]

LIMITS = (
    "Path class: G.711 µ-law only. No figure here is for AMR, GSM, Opus or G.726.",
    "Voices: prompts of two women (English and Spanish are one, Russian the other), studio sound.",
    "A tape is one hour of sound at many speeds: its parts are alike, and the bound is too narrow.",
    "Music: five tracks; two for fitting, three for the report.",
    "Not measured: three-way calls, call waiting, forwarding, household noise, voice activity.",
    "Nor are answering machines. What is not measured has no rate, and enables no cut.",
)


def card_json(report: Report) -> str:
    """What the switch reads, with the figures beside it."""
    figures = {name: value for name, value in report.items() if name not in ("processor", "kernel")}
    return json.dumps({"wrong_cuts": {}, "figures": figures}, indent=1, ensure_ascii=False) + "\n"


def card_md(report: Report) -> str:
    """The card for a reader."""
    lines = [
        "# Detector card",
        "",
        f"Made by `make detection` from the *{report['family']}* family, seed {report['seed']}.",
        f"Voices: {', '.join(report['voices'])}. Constants were fitted on another family.",
        "",
        "## Digits, 400 keys a line, -13 dBm0 a tone, 50 ms unless said",
        "",
        "| keys | kinline | libspandsp | target | |",
        "|---|---|---|---|---|",
        *(_digit_line(cell) for cell in report["digits"]),
        "",
        f"Median latency, clean: {report['digits'][0]['kinline_latency_ms']} ms from its begin.",
        "",
        "## Digits heard where there are none, re-speeded tape (0.70 to 1.40)",
        "",
        "| tape | receiver | hours | false | per 100 h | at most (95 %) |",
        "|---|---|---|---|---|---|",
        *_rates("talk", report["talk_off_speech"]),
        *_rates("music", report["talk_off_music"]),
        "",
        f"Target: 2 per 100 h. {_bound(report)}",
        "",
        "## Call progress, SIT, fax, TTY: -30 dBm0, 10 dB over white noise, after answer",
        "",
        "| tone | told in time | within | median | as another | target | |",
        "|---|---|---|---|---|---|---|",
        *(_tone_line(row) for row in report["progress"]),
        "",
        "| tape | kind | hours | false | per 100 h | at most (95 %) |",
        "|---|---|---|---|---|---|",
        *_rates("talk", report["false_tones_speech"]),
        *_rates("music", report["false_tones_music"]),
        "",
        _tty(report["tty"]),
        "",
        "## Limits",
        "",
        *(f"- {limit}" for limit in LIMITS),
    ]
    return "\n".join(lines) + "\n"


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
