"""Print the OpenAPI document, as a service answers GET /openapi.json, without the protocols of others."""

from __future__ import annotations

from deltawire_service.app import create_app
from deltawire_service.settings import Settings

print(create_app(Settings(log_level="error", protocols="")).test_client().get("/openapi.json").text)
