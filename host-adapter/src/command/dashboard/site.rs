//! What is served: the page, which is in the program, and what it shows. Nothing that is asked changes anything.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Mutex;

use super::history::History;
use super::locked;
use crate::status::{Asked, Page};

const HTML: &str = include_str!("page.html");
const CSS: &str = include_str!("page.css");
const JS: &str = include_str!("page.js");

/// Nothing from elsewhere, nothing in the page's own text that runs, nobody else's frame around it.
const HEADERS: &[&str] = &[
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options: nosniff",
    "X-Frame-Options: DENY",
    "Cross-Origin-Resource-Policy: same-origin",
    "Cross-Origin-Opener-Policy: same-origin",
    "Referrer-Policy: no-referrer",
    "Cache-Control: no-store",
];

pub(super) fn page(asked: &Asked, history: &Mutex<History>) -> Page {
    // A name of somebody else's that leads here would make this page one of theirs (DNS rebinding).
    if !matches!(asked.hosts.as_slice(), [host] if is_loopback(host)) {
        return Page::line(
            "403 Forbidden",
            HEADERS,
            "ask for it by its loopback address, such as http://127.0.0.1:9465/",
        );
    }
    if asked.method != "GET" {
        return Page::only_get();
    }
    let (kind, body) = match asked.path.as_str() {
        "/" => ("text/html; charset=utf-8", HTML.to_owned()),
        "/page.css" => ("text/css; charset=utf-8", CSS.to_owned()),
        "/page.js" => ("text/javascript; charset=utf-8", JS.to_owned()),
        "/state.json" => ("application/json", state(asked, history)),
        _ => return Page::line("404 Not Found", HEADERS, "there is /"),
    };
    Page {
        status: "200 OK",
        headers: HEADERS,
        kind,
        body,
    }
}

/// All that is known; with `after=` only the points after that moment.
fn state(asked: &Asked, history: &Mutex<History>) -> String {
    let after = asked.query.split('&').find_map(|part| {
        let after = part.strip_prefix("after=")?;
        after.parse().ok()
    });
    let history = locked(history);
    let view = history.view(after.unwrap_or(0));
    // Plain values under names always can be written.
    serde_json::to_string(&view).unwrap_or_default()
}

/// Whether a `Host` header names this machine to itself, with or without a port (RFC 9110 §7.2).
fn is_loopback(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((name, port)) => (Name::Ipv6(name), port),
            None => return false,
        },
        None => {
            let end = host.find(':').unwrap_or(host.len());
            let (name, port) = host.split_at(end);
            (Name::Other(name), port)
        }
    };
    let is_port = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if !(port.is_empty() || port.strip_prefix(':').is_some_and(is_port)) {
        return false;
    }
    match name {
        Name::Ipv6(name) => name
            .parse()
            .is_ok_and(|address: Ipv6Addr| IpAddr::from(address).to_canonical().is_loopback()),
        Name::Other(name) => {
            name.eq_ignore_ascii_case("localhost")
                || name
                    .parse()
                    .is_ok_and(|address: Ipv4Addr| address.is_loopback())
        }
    }
}

enum Name<'a> {
    Ipv6(&'a str),
    Other(&'a str),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, target: &str, hosts: &[&str]) -> Page {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let asked = Asked {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            hosts: hosts.iter().map(ToString::to_string).collect(),
        };
        page(&asked, &Mutex::new(History::new()))
    }

    #[test]
    fn only_loopback_names_are_hosts() {
        for host in [
            "localhost",
            "LocalHost:9465",
            "127.0.0.1:9465",
            "127.8.9.1",
            "[::1]:80",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "example.org",
            "localhost.example.org",
            "127.0.0.1.example.org",
            "127.0.0.1:80@example.org",
            "192.168.1.1",
            "0.0.0.0:9465",
            "[::]",
            "[::1",
            "::1",
            "[::1]x",
            "2130706433",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_request_with_no_host_or_two_or_another_is_refused() {
        for hosts in [
            &[][..],
            &["localhost", "example.org"],
            &["localhost", "localhost"],
            &["example.org"],
        ] {
            for path in ["/", "/state.json", "/page.js"] {
                assert_eq!(asked("GET", path, hosts).status, "403 Forbidden", "{path}");
            }
        }
    }

    #[test]
    fn nothing_but_get_is_answered_and_nothing_but_what_there_is() {
        for method in ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "get"] {
            assert_eq!(
                asked(method, "/state.json", &["localhost"]),
                Page::only_get()
            );
        }
        assert_eq!(
            asked("GET", "/page.html", &["localhost"]).status,
            "404 Not Found"
        );
    }

    #[test]
    fn each_page_says_what_it_is_and_that_it_takes_nothing_from_elsewhere() {
        for (path, kind) in [
            ("/", "text/html; charset=utf-8"),
            ("/page.css", "text/css; charset=utf-8"),
            ("/page.js", "text/javascript; charset=utf-8"),
            ("/state.json?after=7", "application/json"),
        ] {
            let page = asked("GET", path, &["127.0.0.1:9465"]);
            assert_eq!((page.status, page.kind), ("200 OK", kind), "{path}");
            assert!(
                page.headers[0].starts_with("Content-Security-Policy: default-src 'none';"),
                "{path}"
            );
            for elsewhere in ["http:", "https:", "src=\"//", "@import", "url("] {
                let own = page.body.replace("http://www.w3.org/2000/svg", "");
                assert!(!own.contains(elsewhere), "{path}: {elsewhere}");
            }
        }
        // The policy lets neither stand in the text.
        for inline in ["style=", "<style", "<script>", "onclick", "onload"] {
            assert!(!HTML.contains(inline), "{inline}");
        }
    }
}
