"""Whether the hospital's clock agrees with the coordinator's, which silently refuses a signature of another time."""

import ssl
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

AHEAD, BEHIND = timedelta(seconds=5), timedelta(seconds=305)  # from here on Flower's server refuses
PATIENCE = 5.0  # seconds for the coordinator to answer


def clock_note(superlink: str, authority: Path) -> str:
    """What is wrong with the clock and what to do; "" where it is right, or where ``superlink`` (host:port) is silent.

    The coordinator's time is the date of its answer, over TLS that ``authority`` vouches for.
    """
    try:
        trust = ssl.create_default_context(cafile=str(authority))
        answer = httpx.head(f"https://{superlink}/", verify=trust, timeout=PATIENCE)
        theirs = parsedate_to_datetime(answer.headers.get("date", "")).replace(tzinfo=UTC)  # HTTP has no other zone
    except (OSError, httpx.HTTPError, httpx.InvalidURL, ValueError):
        return ""  # Flower says why there is no connection, as where the certificate is not valid yet
    ahead = datetime.now(UTC) - theirs
    if -BEHIND < ahead < AHEAD:
        return ""
    side = "ahead of" if ahead > timedelta() else "behind"
    remedy = "it refuses this hospital until the clock is set, as by `timedatectl set-ntp true`"
    return f"This machine's clock is {_told(abs(ahead))} {side} the coordinator's: {remedy}."


def _told(time: timedelta) -> str:
    hours, seconds = divmod(round(time.total_seconds()), 3600)
    return f"{hours} h {seconds // 60} min" if hours else f"{seconds // 60} min {seconds % 60} s"
