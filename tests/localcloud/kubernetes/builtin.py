"""What is in a cluster before anybody puts something into it: `kubernetes.yaml`, and `eks.yaml` beside it on EKS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_HERE = Path(__file__).parent


def objects(*files: str) -> list[dict[str, Any]]:
    """The objects of these files, in their order."""
    texts = [(_HERE / f"{file}.yaml").read_text() for file in files]
    return [found for text in texts for found in yaml.safe_load_all(text) if found]
