//! Traffic routers: pure renderers of the objects that carry weights.
