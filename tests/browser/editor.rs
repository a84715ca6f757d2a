//! Who may send, without a browser: signing in by the mailed link, and a draft to look at.

use crate::world::{EDITOR, World};
use std::io::{Read, Write};
use std::net::TcpStream;

/// The path of a new link that signs in.
#[track_caller]
pub fn link(world: &World) -> String {
    post(world, "/admin/sign-in", "", &[("address", EDITOR)]);
    world.path_of(&world.mail_to(EDITOR).link("Sign in"))
}

/// Signs in; the cookie that the browser then holds.
#[track_caller]
pub fn sign_in(world: &World) -> String {
    let answer = post(world, &link(world), "", &[]);
    let lines = answer.lines();
    let mut cookies = lines.filter_map(|line| line.strip_prefix("set-cookie: "));
    let cookie = cookies.next().unwrap_or_else(|| panic!("no session: {answer}"));
    cookie.split(';').next().unwrap().to_owned()
}

/// Makes a draft of the next edition.
#[track_caller]
pub fn prepare(world: &World, session: &str) {
    let start = ask(
        world,
        &format!("GET /admin HTTP/1.1\r\nCookie: {session}\r\n"),
        "",
    );
    let (_, rest) = start.split_once("name=\"form_token\" value=\"").unwrap();
    let (token, _) = rest.split_once('"').unwrap();
    let path = "/admin/digests/weekly/prepare";
    let answer = post(world, path, session, &[("form_token", token)]);
    assert!(answer.contains("said=prepared"), "{answer}");
}

fn post(world: &World, path: &str, session: &str, fields: &[(&str, &str)]) -> String {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let head = format!(
        "POST {path} HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Cookie: {session}\r\nContent-Length: {}\r\n",
        body.len()
    );
    ask(world, &head, &body)
}

fn ask(world: &World, head: &str, body: &str) -> String {
    let host = world.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "{head}Host: {host}\r\nConnection: close\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
