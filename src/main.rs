//! The program: parse, call, print the error chain, exit.

fn main() {}
