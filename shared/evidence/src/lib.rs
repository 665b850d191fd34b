//! What AWS, nodes and clusters tell: one collector a service, each fact with where and when it was read.
