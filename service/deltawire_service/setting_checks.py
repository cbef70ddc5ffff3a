"""Checks of settings: each raises marshmallow.ValidationError for a value that is not allowed."""

from __future__ import annotations

from pathlib import Path

from marshmallow import ValidationError, validate

from deltawire_plugins.blas import BlasUnusable, mkl_to_load
from deltawire_service.cluster.addresses import AddressRefused, check_address

PROTOCOLS = ("kserve", "tesseract", "umbridge")

IS_URL = validate.Regexp(r"(https?://[^\s/?#@]+)?\Z", error="expected http://host:port, without a path")


def is_folder(path: str) -> None:
    """Raise ValidationError unless the path is empty or that of a folder."""
    if path and not Path(path).is_dir():
        raise ValidationError("there is no such folder")


def are_folders(paths: str) -> None:
    """Raise ValidationError unless the paths, with colons between them, are those of folders."""
    for path in filter(None, paths.split(":")):
        is_folder(path)
        if not Path(path).is_absolute():
            raise ValidationError("expected paths from the root, such as /data")


def are_protocols(text: str) -> None:
    """Raise ValidationError unless the text is names of protocols with commas between them."""
    for word in text.split(",") if text else ():
        if word not in PROTOCOLS:
            raise ValidationError(f"expected some of {', '.join(PROTOCOLS)}, with commas between them")


def is_blas(choice: str) -> None:
    """Raise ValidationError unless this machine has the BLAS that is chosen."""
    try:
        mkl_to_load(choice)
    except BlasUnusable as error:
        raise ValidationError(str(error)) from None


def is_dask_address(address: str) -> None:
    """Raise ValidationError unless the text is empty or the address of a Dask scheduler that may be used."""
    try:
        if address:
            check_address(address)
    except AddressRefused as error:
        raise ValidationError(str(error)) from None


ARE_HOSTS = validate.Regexp(
    r"( *[A-Za-z0-9_][A-Za-z0-9_.-]*(\s|\Z))*\Z", error="expected names, without ports"
)
ARE_FRAME_ANCESTORS = validate.Regexp(
    r"( *https?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?( |\Z))*\Z",
    error="expected origins as https://example.org, without paths and wildcards, with spaces between them",
)
ARE_ORIGINS = validate.Regexp(r"( *https?://[^\s/*@]+(\s|\Z))*\Z", error="origins are https://host")
