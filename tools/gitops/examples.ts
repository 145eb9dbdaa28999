/** An app of one's own, declared with Kustomize. It passes the pod security level `restricted`. */
export const WORKLOAD = {
  "workloads/hello/kustomization.yaml": `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - deployment.yaml
  - service.yaml
labels:
  - pairs:
      app.kubernetes.io/name: hello
    includeSelectors: true
# The one place of the version: people, CI or Image Updater change it here.
images:
  - name: docker.io/traefik/whoami
    newTag: v1.11.0
`,
  "workloads/hello/deployment.yaml": `apiVersion: apps/v1
kind: Deployment
metadata:
  name: hello
spec:
  replicas: 1
  template:
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 65534
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: hello
          image: docker.io/traefik/whoami
          args: ["--port=8080"]
          ports:
            - name: http
              containerPort: 8080
          readinessProbe:
            httpGet:
              path: /health
              port: http
          resources:
            requests:
              cpu: 10m
              memory: 16Mi
            limits:
              memory: 64Mi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: ["ALL"]
`,
  "workloads/hello/service.yaml": `apiVersion: v1
kind: Service
metadata:
  name: hello
spec:
  # An answer from the caller's own site where there is one.
  trafficDistribution: PreferSameZone
  ports:
    - name: http
      port: 80
      targetPort: http
`,
} as const;

/** A published chart. A folder with a Chart.yaml is Helm to Argo CD: no flag, and no list of charts beside the folders. */
export const PUBLISHED = {
  "platform/podinfo/Chart.yaml": `# A chart that consists of a published one: Argo CD fetches what stands below dependencies.
apiVersion: v2
name: podinfo
version: 0.0.0
dependencies:
  - name: podinfo
    version: 6.14.1
    repository: https://stefanprodan.github.io/podinfo
`,
  "platform/podinfo/values.yaml": `# Values of a dependency stand below its name.
podinfo:
  resources:
    requests:
      cpu: 10m
      memory: 32Mi
    limits:
      memory: 64Mi
  podSecurityContext:
    runAsNonRoot: true
    runAsUser: 100
    seccompProfile:
      type: RuntimeDefault
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities:
      drop: ["ALL"]
`,
} as const;

/** What never belongs into the repository. */
export const IGNORED = `# What \`helm dependency build\` fetches; Argo CD fetches it itself.
/platform/*/charts/
*.tgz
# Keys: Secrets stand here sealed, or not at all.
*.key
*.pem
.env
.DS_Store
`;
