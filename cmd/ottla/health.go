package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/ottla/ottla/internal/config"
)

// healthLimit is how long a broker may take to say that it is ready.
const healthLimit = 4 * time.Second

// health asks the broker on this machine, by its http.address, whether it serves clients: exit code 0 if it does, 1 with
// the reason if not. It takes the options of serve and reads the same configuration, so that the same environment finds
// the same address; a container's health check needs nothing else.
func health(args []string, stdout, stderr io.Writer) int {
	sources, err := parseServe(args)
	if err != nil {
		fmt.Fprintln(stderr, "ottla health:", err)
		return 1
	}
	c, _, err := loadConfig(sources)
	if err != nil {
		fmt.Fprintln(stderr, "ottla health:", err)
		return 1
	}
	answer, err := askReady(c.Text(config.HTTPAddress))
	if err != nil {
		fmt.Fprintln(stderr, "ottla health:", err)
		return 1
	}
	fmt.Fprintln(stdout, answer)
	return 0
}

// askReady gets /readyz; a broker that is not ready is an error with its reason.
func askReady(address string) (string, error) {
	if _, port, err := net.SplitHostPort(address); err != nil || port == "0" {
		return "", fmt.Errorf("http.address is %s: there is no address to ask for readiness; set it to host:port", address)
	}
	client := &http.Client{Timeout: healthLimit, Transport: &http.Transport{}} // and no proxy of the environment
	response, err := client.Get("http://" + reachable(address) + "/readyz")
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return "", err
	}
	answer := string(bytes.TrimSpace(body))
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("not ready: %s", answer)
	}
	return answer, nil
}
