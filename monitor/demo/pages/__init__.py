"""The pages of the shop, one module a walk; each lists its routes in `ROUTES`."""
