// Writes the table by which the embedded API reads the protobuf form of built-in kinds, which kubectl sends for some
// commands: `go run ./wire-table > ../../src/cluster/http/protobuf/types.txt`, in hack/control-plane.
//
// Each line is a type and its fields, `NUMBER:NAME[?]=KIND`: no name for a field whose own fields stand in its place,
// `?` for one that is left out where it is empty. A kind is s, b, i, f or y (text, truth, whole number, float, bytes) or
// `>TYPE`, after `[` for a list, `[[` for a list in a message of its own, or `{` for a map from text.
package main

import (
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var roots = []any{
	corev1.Binding{}, corev1.ConfigMap{}, corev1.Endpoints{}, corev1.Event{}, corev1.Namespace{}, corev1.Node{},
	corev1.Pod{}, corev1.PodTemplate{}, corev1.Secret{}, corev1.Service{}, corev1.ServiceAccount{},
	appsv1.Deployment{}, appsv1.ReplicaSet{}, batchv1.Job{}, networkingv1.Ingress{}, networkingv1.IngressClass{},
	discoveryv1.EndpointSlice{}, policyv1.PodDisruptionBudget{}, policyv1.Eviction{},
	autoscalingv1.HorizontalPodAutoscaler{}, autoscalingv1.Scale{}, autoscalingv2.HorizontalPodAutoscaler{},
	eventsv1.Event{}, coordinationv1.Lease{}, rbacv1.ClusterRole{}, rbacv1.ClusterRoleBinding{}, rbacv1.Role{},
	rbacv1.RoleBinding{}, authenticationv1.TokenRequest{}, authenticationv1.SelfSubjectReview{},
	authorizationv1.LocalSubjectAccessReview{}, authorizationv1.SelfSubjectAccessReview{},
	authorizationv1.SelfSubjectRulesReview{}, authorizationv1.SubjectAccessReview{}, metav1.DeleteOptions{},
}

// Their form on the wire is not that of their fields; the reader knows them by name.
var special = map[string]bool{
	"api/resource.Quantity": true, "meta/v1.Time": true, "meta/v1.MicroTime": true, "util/intstr.IntOrString": true,
	"meta/v1.FieldsV1": true,
}

func main() {
	lines := map[string]string{}
	for _, root := range roots {
		add(lines, reflect.TypeOf(root))
	}
	names := make([]string, 0, len(lines))
	for name := range lines {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Println(name + lines[name])
	}
}

func typeName(t reflect.Type) string {
	parts := strings.Split(t.PkgPath(), "/")
	return strings.Join(parts[len(parts)-2:], "/") + "." + t.Name()
}

func add(lines map[string]string, t reflect.Type) {
	name := typeName(t)
	if _, known := lines[name]; known || special[name] {
		return
	}
	lines[name] = ""
	line := ""
	for i := range t.NumField() {
		field := t.Field(i)
		tag := strings.Split(field.Tag.Get("protobuf"), ",")
		if len(tag) < 2 {
			continue
		}
		json := strings.Split(field.Tag.Get("json"), ",")
		optional := ""
		for _, word := range json[1:] {
			// What is behind a pointer is there when it was sent, even where it is empty.
			if word == "omitempty" && field.Type.Kind() != reflect.Pointer {
				optional = "?"
			}
		}
		line += fmt.Sprintf(" %s:%s%s=%s", tag[1], json[0], optional, kind(lines, field.Type))
	}
	lines[name] = line
}

func kind(lines map[string]string, t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return kind(lines, t.Elem())
	case reflect.String:
		return "s"
	case reflect.Bool:
		return "b"
	case reflect.Int32, reflect.Int64:
		return "i"
	case reflect.Float64:
		return "f"
	case reflect.Struct:
		add(lines, t)
		return ">" + typeName(t)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "y"
		}
		if t.Name() != "" {
			// A named list is a message that holds the list.
			return "[[" + kind(lines, t.Elem())
		}
		return "[" + kind(lines, t.Elem())
	case reflect.Map:
		return "{" + kind(lines, t.Elem())
	}
	fmt.Fprintln(os.Stderr, "no kind for", t)
	os.Exit(1)
	return ""
}
