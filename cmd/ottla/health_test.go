package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealth(t *testing.T) {
	f := func(status int, body string, code int, wantOut, wantErr string) {
		t.Helper()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, rq *http.Request) {
			if rq.URL.Path != "/readyz" {
				t.Errorf("asked for %s", rq.URL.Path)
			}
			http.Error(w, body, status)
		}))
		defer server.Close()
		_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
		var out, errs strings.Builder
		got := run([]string{"ottla", "health", "--set", "http.address=0.0.0.0:" + port}, nil, &out, &errs)
		if got != code || out.String() != wantOut || errs.String() != wantErr {
			t.Errorf("exit %d, stdout %q, stderr %q", got, out.String(), errs.String())
		}
	}
	f(http.StatusOK, "ready", 0, "ready\n", "")
	f(http.StatusServiceUnavailable, "fenced by the controller", 1, "", "ottla health: not ready: fenced by the controller\n")
}

func TestHealthSaysWhyItCannotAsk(t *testing.T) {
	for args, want := range map[string]string{
		"--set http.address=off":         "http.address is off",
		"--set http.address=localhost:0": "http.address is localhost:0",
		"--set http.address=localhost:1": "refused",
		"--nonsense":                     "unknown option --nonsense",
	} {
		var out, errs strings.Builder
		if code := run(append([]string{"ottla", "health"}, strings.Fields(args)...), nil, &out, &errs); code != 1 || !strings.Contains(errs.String(), want) {
			t.Errorf("%s: exit %d, stderr %q", args, code, errs.String())
		}
	}
}

func TestReachable(t *testing.T) {
	for address, want := range map[string]string{
		"0.0.0.0:9092": "localhost:9092", "[::]:9092": "localhost:9092", ":9092": "localhost:9092",
		"localhost:1": "localhost:1", "[::1]:5": "[::1]:5", "kafka.example:9092": "kafka.example:9092",
	} {
		if got := reachable(address); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}
