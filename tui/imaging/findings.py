"""The doctor's words about a terminal: what was found, whether it is right, and the remedy where it is not.

Relies on the probe's result alone. Asks nothing and prints nothing.
"""

from __future__ import annotations

from engine.doctor import Finding
from tui.terminal import TRUE_COLOUR, Terminal


def describe(terminal: Terminal) -> list[Finding]:
    """Every line about this terminal, in the order a person would ask."""
    t = terminal
    if not t.is_tty:
        return [Finding("terminal", "not a terminal", True, "Run this in a terminal to see what it can show.")]
    columns, rows = t.size
    roomy = columns >= 80 and rows >= 24
    slow_remedy = "Previews are paced; if they still feel slow, use `--images half`."
    silent = "It did not answer; over a very slow line run `proofsheet doctor` again."
    found = [
        Finding(
            "terminal",
            f"{t.name or 'unnamed'}, {columns}×{rows}",
            roomy and t.size_is_known,
            ""
            if roomy and t.size_is_known
            else "Make the window at least 80×24."
            if t.size_is_known
            else "This tty does not know its size; run `resize` or `stty rows 24 cols 80`.",
        ),
        Finding(
            "colour",
            "off (NO_COLOR)" if t.no_colour else {TRUE_COLOUR: "true colour"}.get(t.colours, f"{t.colours} colours"),
            t.no_colour or t.colours >= TRUE_COLOUR,
            ""
            if t.no_colour or t.colours >= TRUE_COLOUR
            else "Set COLORTERM=truecolor if your terminal has true colour.",
        ),
        Finding("image protocol", t.protocol, t.protocol in ("kitty", "sixel"), _protocol_remedy(t)),
        Finding(
            "cell size",
            f"{t.cell[0]}×{t.cell[1]} px" if t.cell_is_known else f"unknown, assuming {t.cell[0]}×{t.cell[1]} px",
            t.cell_is_known,
            ""
            if t.cell_is_known
            else "Allow window reports (xterm: allowWindowOps: true) for pictures of the right size.",
        ),
        Finding(
            "round trip",
            "no answer" if t.rtt_ms is None else f"{t.rtt_ms:.0f} ms",
            t.rtt_ms is not None and not t.is_slow,
            silent if t.rtt_ms is None else slow_remedy if t.is_slow else "",
        ),
    ]
    if t.multiplexer == "tmux":
        remedy = "For pictures by the kitty protocol: tmux set -g allow-passthrough on"
        found.append(
            Finding(
                "tmux passthrough", "on" if t.passthrough else "off", t.passthrough, "" if t.passthrough else remedy
            )
        )
    elif t.multiplexer:
        found.append(
            Finding("multiplexer", t.multiplexer, False, "GNU screen shows half-blocks only; tmux can show pictures.")
        )
    return found


def _protocol_remedy(t: Terminal) -> str:
    if t.protocol in ("kitty", "sixel"):
        return ""
    if t.has_sixel and not t.cell_is_known:
        return "It has sixel but does not say how large a cell is; `--images sixel` tries it anyway."
    if t.multiplexer == "tmux":
        return "tmux 3.4 or newer built with sixel, or a kitty outside and allow-passthrough on, shows real pictures."
    return "Half-blocks work everywhere; kitty, Ghostty, WezTerm, foot, iTerm2 or `xterm -ti vt340` show real pictures."
