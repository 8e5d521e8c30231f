"""Distributions that a platform has of its own: on no public index, or not in this version."""

from __future__ import annotations

from fnmatch import fnmatchcase

from packaging.utils import NormalizedName
from packaging.version import Version

_OWN = """azure-synapse-ml-predict azureml-synapse chat-magics chat-magics-* control-script
    ds-copilot dscopilot-installer fabric-analytics-* fabric-connection flt-python fsspec-wrapper
    geoanalytics-fabric gson impulse-python-handler library-metadata-cooker mmlspark notebookutils
    pandasnet prose-pandas2pyspark prose-suggestions spark-mssql-connector-*
    sqlanalytics*connectorpy synapse-jupyter-* synapseml synapseml-* unattended-upgrades""".split()
#: Installed by the system's packages where Ubuntu's Python is the platform's.
_SYSTEM = frozenset(
    """command-not-found dbus-python distro-info launchpadlib lazr-restfulclient lazr-uri pygobject
    python-apt ssh-import-id systemd-python ubuntu-advantage-tools ubuntu-pro-client ufw
    unattended-upgrades wadllib""".split()
)
#: Only Fabric has them; a file that lists one is of its family.
_FABRIC = ("chat-magics-fabric", "fabric-*", "geoanalytics-fabric", "spark-mssql-connector-fabric*")


def private(name: NormalizedName, version: Version | None) -> bool:
    """Whether it is the platform's own, or its fork: this version cannot be had from an index."""
    if any(fnmatchcase(name, pattern) for pattern in _OWN):
        return True
    if version is None:
        return False
    forked = (name == "pyspark" and len(version.release) > 3) or (
        name == "flaml" and version.post is not None
    )
    return forked or version.local is not None


def of_system(name: NormalizedName) -> bool:
    """Whether it comes with an operating system, where it is there at all."""
    return name in _SYSTEM


def of_fabric(name: NormalizedName) -> bool:
    """Whether it is a mark of Microsoft Fabric."""
    return any(fnmatchcase(name, pattern) for pattern in _FABRIC)
