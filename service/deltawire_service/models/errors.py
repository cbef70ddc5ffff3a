"""The errors of models, beside those of the store and of the engine."""

from __future__ import annotations

from deltawire_service.faults import ServiceError


class ModelNotFound(ServiceError):
    """The caller has no model of this name."""

    code = "model_not_found"


class NameTaken(ServiceError):
    """The caller has a model of this name already."""

    code, pointer = "model_name_taken", "/name"


class ModelInRun(ServiceError):
    """The model learns in a run that has not ended: nothing was changed."""

    code = "model_in_run"


class VersionChanged(ServiceError):
    """The newest version is not the one that the caller expects: nothing was changed."""

    code, pointer = "version_changed", "/if_version"


class VersionNotFound(ServiceError):
    """The model has no such version."""

    code, pointer = "version_not_found", "/version"


class VersionExpired(ServiceError):
    """The version is too long ago: what it takes to compute it is not kept any more."""

    code = "version_expired"


class VersionNotReproducible(ServiceError):
    """The version was computed in another way than this process computes: its bits cannot be made here."""

    code, pointer = "version_not_reproducible", "/version"
