"""One file per revision: explicit statements, never changed once released."""
