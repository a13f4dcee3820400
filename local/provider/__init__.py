"""An organisation's identity provider on one machine: OpenID Connect as Entra ID or Okta speak it, and how it fails."""
