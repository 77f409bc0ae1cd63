package outside

import "strings"

// lines are what to change for a fault of an aspect, in the words of each proxy:
// nginx, a Caddyfile of Caddy 2, and the file provider of Traefik 3 in YAML. A
// remark says where a line belongs, or which one to remove. nil where no line
// of a proxy is the remedy.
func (c *Checker) lines(a Aspect) map[Proxy]string {
	table, ok := configurations[a]
	if !ok {
		return nil
	}
	site := c.public.Host // of a Caddyfile: without a scheme it means https
	if !c.secure() {
		site = c.origin()
	}
	fill := strings.NewReplacer("{SITE}", site, "{UPSTREAM}", c.upstream, "{HOST}", c.public.Hostname(), "{SCHEME}", c.public.Scheme,
		"{PORT}", portOf(c.public))
	host := "$host" // of nginx: whatever the protocol, but without a port
	if c.public.Port() != "" {
		host = "$http_host"
	}
	pass := strings.Join([]string{"proxy_pass http://{UPSTREAM};", "proxy_set_header Host " + host + ";", "proxy_set_header X-Forwarded-Host " + host + ";",
		"proxy_set_header X-Forwarded-Proto $scheme;", "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"}, "\n    ")
	out := make(map[Proxy]string, len(table))
	for p, text := range table {
		out[p] = fill.Replace(strings.ReplaceAll(strings.TrimSpace(text), "{PASS}", pass))
	}
	return out
}

// linesFor is lines for what forwarding headers decide: a proxy that is not
// trusted has to be made so.
func (c *Checker) linesFor(a Aspect, seen Arrival) map[Proxy]string {
	out := c.lines(a)
	if !seen.Trusted && seen.Peer != "" {
		out[BackOffice] = "--trusted-proxies=" + seen.Peer + "\n\n# or in the environment:\nBACKOFFICE_TRUSTED_PROXIES=" + seen.Peer
	}
	return out
}

// configurations has the lines by aspect. In braces in capitals stand the
// upstream, site, host, scheme and port of this instance, and what every location
// of nginx needs: headers of an outer level hold only where there are none.
var configurations = map[Aspect]map[Proxy]string{
	Scheme: {
		Nginx: `
location / {
    {PASS}
    # Behind another proxy that ends TLS, $scheme is http. Then write:
    # proxy_set_header X-Forwarded-Proto {SCHEME};
}`,
		Caddy: `
# Caddy sends X-Forwarded-Proto by itself. Behind another proxy it has to
# believe that one; use your networks instead of private_ranges.
{
    servers {
        trusted_proxies static private_ranges
    }
}

{SITE} {
    reverse_proxy {UPSTREAM}
}`,
		Traefik: `
# Static configuration. Traefik sends X-Forwarded-Proto by itself. Behind
# another proxy it has to believe that one; use your own networks.
entryPoints:
  websecure:
    address: ":{PORT}"
    forwardedHeaders:
      trustedIPs:
        - "10.0.0.0/8"`,
	},
	Host: {
		Nginx: `
location / {
    {PASS}
}`,
		Caddy: `
{SITE} {
    reverse_proxy {UPSTREAM} {
        # Caddy passes the host on by itself to an http upstream. Remove any
        # other "header_up Host"; for an https upstream write:
        header_up Host {hostport}
    }
}`,
		Traefik: `
# Dynamic configuration
http:
  services:
    backoffice:
      loadBalancer:
        passHostHeader: true
        servers:
          - url: "http://{UPSTREAM}"`,
	},
	Port: {
		Nginx: `
# For Host not $proxy_host, and not $host:$server_port.
location / {
    {PASS}
}`,
		Caddy: `
{SITE} {
    reverse_proxy {UPSTREAM} {
        # remove any other "header_up Host" and "header_up X-Forwarded-Host"
        header_up Host {hostport}
    }
}`,
		Traefik: `
# Dynamic configuration. Remove customRequestHeaders that set Host or
# X-Forwarded-Host from the middlewares of this router.
http:
  services:
    backoffice:
      loadBalancer:
        passHostHeader: true
        servers:
          - url: "http://{UPSTREAM}"`,
	},
	Path: {
		Nginx: `
# One location at the root. proxy_pass has nothing after the port, not even a
# slash: what stands there replaces what the location matched.
location / {
    {PASS}
}`,
		Caddy: `
# No handle_path, no "uri strip_prefix" and no rewrite: handle keeps the path.
{SITE} {
    handle {
        reverse_proxy {UPSTREAM}
    }
}`,
		Traefik: "# Dynamic configuration. Remove the middlewares stripPrefix, addPrefix,\n# replacePath and replacePathRegex from this router.\nhttp:\n" +
			"  routers:\n    backoffice:\n      rule: \"Host(`{HOST}`)\"\n      service: backoffice\n      middlewares: []",
	},
	Query: {
		Nginx: `
# No rewrite, no $uri and no $args in proxy_pass: they are decoded or lost.
location / {
    {PASS}
    # If proxy_pass needs a variable:
    # proxy_pass http://$backend$request_uri;
}`,
		Caddy: `
# Remove "rewrite" and "uri query" for this host.
{SITE} {
    reverse_proxy {UPSTREAM}
}`,
		Traefik: "# Dynamic configuration. Remove redirectRegex, replacePathRegex and plugins\n# that write the query anew from this router.\nhttp:\n" +
			"  routers:\n    backoffice:\n      rule: \"Host(`{HOST}`)\"\n      service: backoffice\n      middlewares: []",
	},
	Redirect: {
		Nginx: `
location / {
    {PASS}
    proxy_redirect off;
    # For redirects that nginx makes itself:
    absolute_redirect off;
}`,
		Caddy: `
{SITE} {
    # remove "header_down Location" from this block
    reverse_proxy {UPSTREAM}
}`,
		Traefik: `
# Dynamic configuration. Remove these lines from the middlewares of this router:
http:
  middlewares:
    some-name:
      headers:
        customResponseHeaders:
          Location: "..."   # remove`,
	},
	Cookie: {
		Nginx: `
location / {
    {PASS}
    proxy_cookie_domain off;
    proxy_cookie_path off;
    proxy_cookie_flags off;
    # remove "proxy_hide_header Set-Cookie;" and any
    # "proxy_set_header Cookie ...;" for this host
}`,
		Caddy: `
{SITE} {
    # remove "header_up -Cookie", "header_down -Set-Cookie" and
    # "header -Set-Cookie" for this host
    reverse_proxy {UPSTREAM}
}`,
		Traefik: `
# Dynamic configuration. An empty value removes a header. Remove these lines
# from the middlewares of this router:
http:
  middlewares:
    some-name:
      headers:
        customRequestHeaders:
          Cookie: ""       # remove
        customResponseHeaders:
          Set-Cookie: ""   # remove`,
	},
	Cache: {
		Nginx: `
location / {
    {PASS}
    proxy_cache off;
    # and remove "proxy_ignore_headers Cache-Control ...;" for this host
}`,
		Caddy: `
# Caddy keeps no answers by itself. Remove the "cache" directive of a cache
# plugin from this block.
{SITE} {
    reverse_proxy {UPSTREAM}
}`,
		Traefik: "# Traefik keeps no answers by itself. Remove the middleware of a cache plugin\n# from this router. In a CDN before it, bypass the cache for this host.\nhttp:\n" +
			"  routers:\n    backoffice:\n      rule: \"Host(`{HOST}`)\"\n      service: backoffice\n      middlewares: []",
	},
	Head: {
		Nginx: `
location /webhooks/ {
    {PASS}
    # GET in limit_except lets HEAD through too; remove "if ($request_method ...)"
    limit_except GET POST { deny all; }
    proxy_cache_convert_head off;
}`,
		Caddy: `
{SITE} {
    # a "method" matcher for these paths needs HEAD as well:
    @webhooks {
        path /webhooks/*
        method HEAD POST
    }
    reverse_proxy @webhooks {UPSTREAM}
    reverse_proxy {UPSTREAM}
}`,
		Traefik: "# Dynamic configuration. A rule with Method needs HEAD as well.\nhttp:\n  routers:\n    backoffice-webhooks:\n" +
			"      rule: \"Host(`{HOST}`) && PathPrefix(`/webhooks/`) && (Method(`HEAD`) || Method(`POST`))\"\n      service: backoffice",
	},
	Body: {
		Nginx: `
location /webhooks/ {
    {PASS}
    client_max_body_size 1m;
    proxy_pass_request_body on;
    # remove "proxy_set_body ...;" and any module that unpacks or filters bodies
}`,
		Caddy: `
{SITE} {
    request_body /webhooks/* {
        max_size 1MB
    }
    reverse_proxy {UPSTREAM}
}`,
		Traefik: `
# Dynamic configuration: if a buffering middleware limits this router
http:
  middlewares:
    webhook-limit:
      buffering:
        maxRequestBodyBytes: 1048576`,
	},
	Header: {
		Nginx: `
location /webhooks/ {
    {PASS}
    proxy_pass_request_headers on;
    # remove lines such as: proxy_set_header X-Hub-Signature-256 "";
}`,
		Caddy: `
{SITE} {
    # remove "header_up -X-*" and "request_header -X-*" for this host
    reverse_proxy {UPSTREAM}
}`,
		Traefik: `
# Dynamic configuration. An empty value removes a header. Remove such lines
# from the middlewares of this router:
http:
  middlewares:
    some-name:
      headers:
        customRequestHeaders:
          X-Hub-Signature-256: ""   # remove`,
	},
	Certificate: {
		Nginx: `
server {
    listen {PORT} ssl;
    server_name {HOST};
    # the certificate and the intermediate ones, in one file
    ssl_certificate     /etc/letsencrypt/live/{HOST}/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/{HOST}/privkey.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
}`,
		Caddy: `
# Caddy gets and renews a certificate by itself for a site with a public name.
# Remove "tls internal" from this block.
{SITE} {
    reverse_proxy {UPSTREAM}
}`,
		Traefik: "# Dynamic configuration; the resolver is named in the static one.\nhttp:\n  routers:\n    backoffice:\n      rule: \"Host(`{HOST}`)\"\n" +
			"      service: backoffice\n      tls:\n        certResolver: letsencrypt",
	},
}
