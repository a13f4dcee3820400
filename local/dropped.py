"""Resource types of the templates that the emulator cannot make. Nothing else is left out on one machine.

Each stands here with its reason; tests/infra assert on the template what the emulator cannot show.
"""

from __future__ import annotations

DROPPED = {
    "AWS::WAFv2::WebACLAssociation": "the emulator keeps firewalls but puts none in front of an API",
}
