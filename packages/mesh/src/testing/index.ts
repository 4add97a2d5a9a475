export { readFolder } from './read-folder.js'
export { simulateCluster } from './simulated-cluster.js'
export { createTestMesh, type TestAnswer, type TestMesh, type TestMeshOptions, type TestRequest } from './test-mesh.js'
