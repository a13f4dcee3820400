from tests.functions.portal.conftest import Portal
from tests.functions.portal import scenes


def test_pages(portal: Portal) -> None:
    b = portal.signed_in("admin")
    home = f"/accounts/{scenes.NORTH}"
    for path in ["/accounts?all=1", home, f"{home}/invoices", f"{home}/invoices?status=overdue&sort=total_minor", f"{home}/invoices.csv", f"{home}/pay?all=overdue", f"{home}/payments", f"{home}/statement", f"{home}/statement.csv", "/profile", "/profile/codes"]:
        p = b.get(path)
        print(path, p.status, len(p.text))
        assert p.status == 200, p.text
