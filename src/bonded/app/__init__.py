"""The composition root: settings → adapters → operations → web. Only here are adapters named.

In parts, so that a command loads no more than it needs: `folder` is the catalog and the files,
`upstreams` the other servers, `worker` all that serves.
"""
