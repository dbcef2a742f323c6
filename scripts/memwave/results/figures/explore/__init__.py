"""A page that shows an experiment in a browser: zoom, selection and menus, without a server."""
