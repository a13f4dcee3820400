"""The ground floor: money, periods, ids, errors and the clock. Imports nothing but the standard library."""
