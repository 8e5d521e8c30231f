"""The Simple API's wire format, pure: negotiate, render, parse, and look into archives."""
