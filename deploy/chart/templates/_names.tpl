{{- define "statusbridge.labels" -}}
app.kubernetes.io/name: statusbridge
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
