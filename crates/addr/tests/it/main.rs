//! The public face of the room, used as the other rooms use it.

mod nasty;
mod promises;
