"""Images, sound and film: one block to be recognised later, and what the file says of itself."""

from __future__ import annotations

import io
import wave
from datetime import UTC, datetime

from PIL import ExifTags, Image, UnidentifiedImageError

from bowerbird.core.errors import ExtractionError
from bowerbird.core.records import Block
from bowerbird.extraction.draft import Draft

Image.MAX_IMAGE_PIXELS = None  # sizes are only read here; pages.py has its own cap on what is decoded

_OTHER_IMAGES = frozenset(("heic", "heif", "avif", "jxl", "dng", "nef", "cr2", "arw", "raw", "svgz", "djvu", "bpg"))
"""Endings of images that Pillow may not know: they are media all the same."""


def image(data: bytes, name: str, ending: str) -> Draft:
    """Describe an image: width and height in pixels, date and camera. Raises ExtractionError where it is damaged."""
    draft = Draft(blocks=[Block("", "media")], media_type=f"image/{ending}", untitled=True)
    try:
        with Image.open(io.BytesIO(data)) as picture:
            draft.media_type = Image.MIME.get(picture.format or "", draft.media_type)
            draft.fields = {"width": str(picture.width), "height": str(picture.height)}
            frames = getattr(picture, "n_frames", 1)
            if frames > 1 and picture.format == "TIFF":
                draft.pages = frames
                draft.blocks = [Block("", "media", page=page) for page in range(1, min(frames, 500) + 1)]
            _exif(picture, draft)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, KeyError, IndexError, OverflowError) as problem:
        if ending not in _OTHER_IMAGES:
            cause = f"{name} is a damaged image, or of a kind that cannot be read."
            raise ExtractionError(cause, "Open it in an image program and save it anew.") from problem
    return draft


def recording(data: bytes, kind: str, ending: str) -> Draft:
    """Describe sound or film (`kind` is audio or video); the duration of WAV is known, in seconds."""
    draft = Draft(blocks=[Block("", "media")], media_type=f"{kind}/{ending}", untitled=True)
    if data.startswith(b"RIFF"):
        try:
            with wave.open(io.BytesIO(data)) as sound:
                seconds = sound.getnframes() / max(1, sound.getframerate())
        except (wave.Error, EOFError):
            return draft  # compressed or cut off: still a recording, of unknown length
        draft.fields["duration"] = f"{seconds:.1f}"
        draft.blocks = [Block("", "media", seconds=(0.0, seconds))]
    return draft


def _exif(picture: Image.Image, draft: Draft) -> None:
    """Take the date and the camera (Exif 2.3: local time without a zone, read as UTC)."""
    if picture.format == "PNG" and "exif" not in picture.info:
        return  # Pillow would decode the whole picture to look for it at the end
    exif = picture.getexif()
    details = exif.get_ifd(ExifTags.IFD.Exif)
    taken = details.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    try:
        draft.created = datetime.strptime(str(taken)[:19], "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC) if taken else None
    except ValueError:
        draft.created = None  # cameras without a clock write zeros
    camera = " ".join(str(exif.get(tag, "")).strip("\0 ") for tag in (ExifTags.Base.Make, ExifTags.Base.Model))
    draft.fields["camera"] = camera
    draft.fields["caption"] = str(exif.get(ExifTags.Base.ImageDescription, ""))
