"""Saldo: billing and accounts receivable, one package per noun of the business."""
