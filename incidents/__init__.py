"""The domain: from an alert or a report to an explained, resolved disturbance."""
