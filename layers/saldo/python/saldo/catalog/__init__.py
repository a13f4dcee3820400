"""What is sold: products, plans, plan versions and price models."""
