"""Files of measured numbers: calibration runs, telemetry and a gateway's log, drawn from a model of the water."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from datetime import timedelta

import numpy as np

from bowerbird.lab.workspace.story import Piece

Maker = Callable[[Piece, np.random.Generator], str]


def saturation(celsius: float) -> float:
    """Oxygen that fresh water holds at 1013 hPa, in mg/l (Benson and Krause, Limnology and Oceanography 1984).

    >>> round(saturation(20.0), 2)
    9.09
    """
    kelvin = celsius + 273.15
    logarithm = (
        -139.34411 + 1.575701e5 / kelvin - 6.642308e7 / kelvin**2 + 1.243800e10 / kelvin**3 - 8.621949e11 / kelvin**4
    )
    return math.exp(logarithm)


def calibration(piece: Piece, random: np.random.Generator) -> str:
    """A two-point calibration of `count` probes, as CSV: readings before and after, slope, and whether it passed."""
    out = io.StringIO()
    out.write("serial,bath_c,reference_mg_l,raw_zero,raw_saturated,slope,residual_mg_l,passed\n")
    first = int(piece.fields.get("serial", "2001"))
    for serial in range(first, first + int(piece.fields.get("count", "48"))):
        bath = 20.0 + float(random.normal(0, 0.06))
        slope = 0.981 + float(random.normal(0, 0.012))
        residual = float(random.normal(0, 0.045))
        zero, full = float(random.normal(0.021, 0.006)), saturation(bath) * slope
        passed = "yes" if abs(residual) < 0.1 and 0.95 < slope < 1.02 else "no"
        out.write(
            f"MN2-{serial},{bath:.2f},{saturation(bath):.3f},{zero:.3f},{full:.3f},{slope:.4f},{residual:+.3f},{passed}\n"
        )
    return out.getvalue()


def telemetry(piece: Piece, random: np.random.Generator) -> str:
    """Oxygen and temperature of one tank every ten minutes, as CSV; oxygen breaks down after `breakdown` steps."""
    out = io.StringIO()
    out.write("time,tank,oxygen_mg_l,temperature_c,battery_v,code\n")
    breakdown = int(piece.fields.get("breakdown", "100000"))
    oxygen = 8.4
    for step in range(int(piece.fields.get("count", "288"))):
        moment = piece.when - timedelta(minutes=10 * (int(piece.fields.get("count", "288")) - step))
        water = 12.4 + 0.8 * math.sin(step / 23) + float(random.normal(0, 0.05))
        target = 8.4 if step < breakdown else 2.1
        oxygen += (target - oxygen) * 0.09 + float(random.normal(0, 0.07))
        code = "E-105" if oxygen < 5.0 else ""
        battery = 3.61 - step * 0.0001
        out.write(f"{moment:%Y-%m-%dT%H:%MZ},{piece.fields['tank']},{oxygen:.2f},{water:.2f},{battery:.3f},{code}\n")
    return out.getvalue()


def gateway_log(piece: Piece, random: np.random.Generator) -> str:
    """Two days of a gateway's log, about 100 kB; the body's `STEP LINE` rows are put in at their steps."""
    planted = dict(line.split(" ", 1) for line in piece.body.splitlines() if line[:1].isdigit())
    chatter = (
        "INFO  radio    frame from MN2-{serial} rssi={rssi} snr={snr:.1f} seq={seq}",
        "DEBUG queue    depth={depth} oldest={age}s",
        "INFO  uplink   published tidepool/v3/northfold/{serial}/do qos=1 in {ms} ms",
        "DEBUG power    supply=12.{volt}V charger=float",
    )
    lines: list[str] = []
    for step in range(int(piece.fields.get("count", "1350"))):
        moment = piece.when - timedelta(seconds=118 * (int(piece.fields.get("count", "1350")) - step))
        text = planted.get(str(step)) or chatter[int(random.integers(0, len(chatter)))].format(
            serial=int(random.integers(2001, 2049)),
            rssi=-int(random.integers(71, 118)),
            snr=float(random.uniform(-4, 9)),
            seq=step * 3 % 65536,
            depth=int(random.integers(0, 9)),
            age=int(random.integers(1, 60)),
            ms=int(random.integers(80, 640)),
            volt=int(random.integers(1, 9)),
        )
        lines.append(f"{moment:%Y-%m-%d %H:%M:%S} heron-0117 {text}")
    return "\n".join(lines) + "\n"


MAKERS: dict[str, Maker] = {"calibration": calibration, "telemetry": telemetry, "gateway_log": gateway_log}
"""What a piece's `as` header may name here."""
