//! Names that are valid by construction: of Kubernetes objects, Compose services, images, hosts.
