"""Interoperability with Eclipse Leshan: its servers, a REST helper, and the bench that lets nodes live with them."""
