// Writes the table of the types of built-in kinds, by which the embedded API reads objects in JSON and in the protobuf
// form that kubectl sends for some commands, and keeps them as a server with these types does:
// `go run ./type-table > ../../src/cluster/api/kinds/types.txt`, in hack/control-plane.
//
// Each line is a type and its fields, `NUMBER:NAME[@GONAME][?][0][*]=SHAPE`: no name for a field whose own fields stand
// in its place, the name in Go where that is not just the name with a capital letter, `?` for one that is left out where
// it is empty, `0` for one that is left out where it has the zero value, `*` for one behind a pointer. A shape is one of
//
//	s b i l f y   text, truth, whole number of 32 or of 64 bits, float, bytes
//	q t m x r     quantity, time, time with microseconds, number or text, any JSON
//	>TYPE [SHAPE {SHAPE   object, list, map from text
//
// A text, list or map whose Go type has a name has it, between colons, after its first letter.
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
	autoscalingv1.HorizontalPodAutoscaler{}, autoscalingv1.Scale{}, autoscalingv1.MetricSpec{}, autoscalingv1.MetricStatus{},
	autoscalingv1.HorizontalPodAutoscalerCondition{}, autoscalingv2.HorizontalPodAutoscaler{},
	eventsv1.Event{}, coordinationv1.Lease{}, rbacv1.ClusterRole{}, rbacv1.ClusterRoleBinding{}, rbacv1.Role{},
	rbacv1.RoleBinding{}, authenticationv1.TokenRequest{}, authenticationv1.SelfSubjectReview{},
	authorizationv1.LocalSubjectAccessReview{}, authorizationv1.SelfSubjectAccessReview{},
	authorizationv1.SelfSubjectRulesReview{}, authorizationv1.SubjectAccessReview{}, metav1.DeleteOptions{},
}

// Types whose JSON is not an object of their fields.
var special = map[string]string{
	"api/resource.Quantity": "q", "meta/v1.Time": "t", "meta/v1.MicroTime": "m", "util/intstr.IntOrString": "x",
	"meta/v1.FieldsV1": "r",
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
	if _, known := lines[name]; known {
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
		marks := ""
		if json[0] == "" || strings.ToUpper(json[0][:1])+json[0][1:] != field.Name {
			marks += "@" + field.Name
		}
		for _, word := range json[1:] {
			switch word {
			case "omitempty":
				marks += "?"
			case "omitzero":
				marks += "0"
			}
		}
		if field.Type.Kind() == reflect.Pointer {
			marks += "*"
		}
		line += fmt.Sprintf(" %s:%s%s=%s", tag[1], json[0], marks, shape(lines, field.Type))
	}
	lines[name] = line
}

func shape(lines map[string]string, t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return shape(lines, t.Elem())
	case reflect.String:
		return "s" + ownName(t)
	case reflect.Bool:
		return "b"
	case reflect.Int32:
		return "i"
	case reflect.Int64:
		return "l"
	case reflect.Float64:
		return "f"
	case reflect.Struct:
		if letter, known := special[typeName(t)]; known {
			return letter
		}
		add(lines, t)
		return ">" + typeName(t)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "y"
		}
		return "[" + ownName(t) + shape(lines, t.Elem())
	case reflect.Map:
		return "{" + ownName(t) + shape(lines, t.Elem())
	}
	fmt.Fprintln(os.Stderr, "no shape for", t)
	os.Exit(1)
	return ""
}

// The name of a type that Go does not have by itself.
func ownName(t reflect.Type) string {
	if t.PkgPath() == "" {
		return ""
	}
	return ":" + t.String() + ":"
}
