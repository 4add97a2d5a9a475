export { readFolder } from './read-folder.js'
export { createTestMesh, type TestAnswer, type TestMesh, type TestMeshOptions, type TestRequest } from './test-mesh.js'
