"""Who may come in and what they may do: users, grants, roles, sessions, sign-in."""
