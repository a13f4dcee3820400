"""The demo: Lumen, a seller with two legal entities, a dozen customers, and four months of business with them."""

from local.demo.seeding import seed, sign_ins

__all__ = ["seed", "sign_ins"]
