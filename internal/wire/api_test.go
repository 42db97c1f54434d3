package wire

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestHeaderVersions(t *testing.T) {
	for _, api := range APIs {
		if api.Own() {
			continue
		}
		for version := api.Min; version <= api.Max; version++ {
			request, response := kmsg.RequestForKey(api.Key), kmsg.ResponseForKey(api.Key)
			request.SetVersion(version)
			response.SetVersion(version)
			wantRequest, wantResponse := int16(1), int16(0)
			if request.IsFlexible() {
				wantRequest = 2
			}
			if response.IsFlexible() && api.Name != "ApiVersions" {
				wantResponse = 1
			}
			if got := RequestHeaderVersion(api.Key, version); got != wantRequest {
				t.Errorf("request header of %s version %d: %d, want %d", api.Name, version, got, wantRequest)
			}
			if got := ResponseHeaderVersion(api.Key, version); got != wantResponse {
				t.Errorf("response header of %s version %d: %d, want %d", api.Name, version, got, wantResponse)
			}
		}
	}
	if RequestHeaderVersion(999, 0) != 1 || ResponseHeaderVersion(999, 0) != 0 {
		t.Error("an unknown API has the oldest headers")
	}
}

func TestAPIs(t *testing.T) {
	for _, want := range []API{
		{Key: 0, Name: "Produce", Min: 3, Max: 13, Flexible: 9, Broker: true},
		{Key: 1, Name: "Fetch", Min: 4, Max: 18, Flexible: 12, Broker: true, Controller: true},
		{Key: 22, Name: "InitProducerId", Min: 0, Max: 5, Flexible: 2, Broker: true}, // 6 is unstable
		{Key: 56, Name: "AlterPartition", Min: 2, Max: 3, Flexible: 0, Controller: true},
	} {
		if got, ok := FindAPI(want.Key); !ok || got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	for _, removed := range []int16{-1, 4, 5, 6, 7, 93, 999} {
		if api, ok := FindAPI(removed); ok || NewRequest(removed) != nil || NewResponse(removed) != nil {
			t.Errorf("API %d is there: %+v", removed, api)
		}
	}
}

func TestInternIsBounded(t *testing.T) {
	names := NewIntern()
	first := names.find([]byte("orders"))
	if again := names.find([]byte("orders")); again != first {
		t.Error("a string that was seen is allocated again")
	}
	name := make([]byte, 200)
	for i := range 10_000 {
		name[0], name[1] = byte('a'+i%26), byte('a'+i/26%26)
		name[2] = byte('a' + i/676%26)
		names.find(name)
	}
	if len(names.known) > internBytes/200 || len(names.known) == 0 {
		t.Errorf("%d strings are kept", len(names.known))
	}
	if names.find(make([]byte, 250)) != nil {
		t.Error("a string longer than any topic's name is kept")
	}
}
