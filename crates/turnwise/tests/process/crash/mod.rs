//! `kill -9`: what was acknowledged is there, what was said is kept, and nothing stays running.

mod checker;
mod points;
mod running;
mod story;
mod upkeep;
