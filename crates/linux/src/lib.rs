//! The only room that talks to the kernel. It speaks the plain data of `causeway-dataplane` and has no opinion about what is allowed.
