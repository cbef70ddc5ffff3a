"""Read every document of the test vectors into the generated models, and write it again."""

import json
import sys
from pathlib import Path

from deltawire_api import models

vectors = Path(sys.argv[1])
for name, route in json.loads((vectors / "routes.json").read_text()).items():
    for part, suffix in (("request", "Request"), ("answer", "Response")):
        document = json.loads((vectors / name / f"{part}.json").read_text())
        model = getattr(models, route.removeprefix("/v1/").capitalize() + suffix)
        assert model.from_dict(document).to_dict() == document, f"{name}/{part}.json"
