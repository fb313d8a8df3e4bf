//! Small designs and what becomes of packets in them.
